"""CIF, which atoms are one, zone axis, cell, symmetry, slice potentials."""
