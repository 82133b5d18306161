"""One unit cell: what follows from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal

CELL = np.array([[4.0, 0.0, 0.0], [-1.0, 5.0, 0.0], [0.5, 0.7, 6.0]])


def _crystal(fractional, symbols=("Sr", "O"), occupancy=(1.0, 1.0), u=0.006) -> Crystal:
    count = len(symbols)
    tensors = np.array([u * np.eye(3)] * count)
    return Crystal(CELL, list(symbols), np.array(fractional) @ CELL, np.array(occupancy), tensors, "OSr", "test")


@pytest.fixture
def crystal() -> Crystal:
    return _crystal([[0.1, 0.2, 0.3], [0.6, 0.7, 0.8]])


def test_fractions_and_volume(crystal):
    np.testing.assert_allclose(crystal.fractional, [[0.1, 0.2, 0.3], [0.6, 0.7, 0.8]])
    assert crystal.volume_a3 == pytest.approx(4 * 5 * 6)
    atoms = crystal.to_atoms()
    np.testing.assert_allclose(atoms.get_scaled_positions(), crystal.fractional)
    assert atoms.get_chemical_symbols() == ["Sr", "O"]
    assert atoms.pbc.all()


def test_site_types_tell_unlike_atoms_apart():
    """Element, occupancy and principal displacements count; the axes of the ellipsoid do not."""
    places = [[0.1, 0, 0], [0.3, 0, 0], [0.5, 0, 0], [0.7, 0, 0], [0.9, 0, 0]]
    tensors = 0.006 * np.eye(3) + np.zeros((5, 3, 3))
    tensors[3], tensors[4] = np.diag([0.01, 0.006, 0.006]), np.diag([0.006, 0.01, 0.006])
    crystal = replace(_crystal(places, ["Sr", "O", "O", "O", "O"], [1.0, 1.0, 0.5, 1.0, 1.0]), displacement=tensors)
    assert crystal.site_types().tolist() == [0, 1, 2, 3, 3]
