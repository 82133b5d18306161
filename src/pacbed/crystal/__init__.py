"""CIF, zone axis, cell, symmetry, scattering factors, slice potentials."""
