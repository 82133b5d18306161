"""A vibrating crystal without any symmetry: an oblique cell, partial occupancy, an anisotropic tensor."""

from __future__ import annotations

import numpy as np

from pacbed.crystal.cell import Crystal
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.slicing import slice_potentials

OBLIQUE = np.array([[4.2, 0, 0], [-1.3, 3.9, 0], [0, 0, 3.9]])
GRID = (28, 26)
TENSOR = np.array([[0.012, 0.004, 0], [0.004, 0.007, 0], [0, 0, 0.008]])


def polar_crystal() -> Crystal:
    fractional = np.array([[0.05, 0.1, 0.0], [0.55, 0.35, 0.5], [0.2, 0.75, 0.5]])
    occupancy, tensors = np.array([1.0, 0.8, 1.0]), np.array([TENSOR] * 3)
    return Crystal(OBLIQUE, ["Sr", "Ti", "O"], fractional @ OBLIQUE, occupancy, tensors, "OSrTi", "polar")


def slices_of(crystal: Crystal, model: str = "frozen_phonons") -> SlicePotentials:
    return slice_potentials(crystal, zone_axis=(0, 0, -1), energy_ev=200e3, grid=GRID, slices=2, thermal_model=model)
