"""A small crystal without any symmetry, and its scans, for the tests of this folder."""

from __future__ import annotations

import numpy as np

from pacbed.crystal.cell import Crystal
from pacbed.crystal.slicing import slice_potentials
from pacbed.simulation.scan.probes import ScanProbe, scan_pacbed
from pacbed.simulation.scan.raster import rectangular_raster

CELL = np.diag([4.1, 4.9, 3.9])
ENERGY_EV, ALPHA_MRAD = 200e3, 9.3


def crystal(cell=CELL):
    """Atoms on a grid of 1/32 and 1/36: abTEM blurs those between its grid points."""
    fractional = np.array([[2 / 32, 4 / 36, 0.0], [18 / 32, 13 / 36, 0.5], [7 / 32, 27 / 36, 0.5]])
    return Crystal(cell, ["Sr", "Ti", "O"], fractional @ cell, np.ones(3), np.zeros((3, 3, 3)), "OSrTi", "polar")


def slices(cell=CELL, grid=(32, 36), **options):
    """Slice potentials of the crystal at rest."""
    settings = {"zone_axis": (0, 0, -1), "energy_ev": ENERGY_EV, "grid": grid, "slices": 2, "thermal_model": "none"}
    return slice_potentials(crystal(cell), **{**settings, **options})


def scan(periods, *, counts=(4, 4), depths=(3,), mistilt_mrad=(0.0, 0.0), edge_mrad=0.0, **options):
    """Patterns of a raster of rows over the cell, 20 mrad wide."""
    probe = ScanProbe(ENERGY_EV, ALPHA_MRAD, edge_mrad, mistilt_mrad)
    positions = rectangular_raster(np.diag(CELL)[:2], counts)
    return scan_pacbed(periods, probe, positions, thickness_periods=depths, **{"max_angle_mrad": 20.0, **options})
