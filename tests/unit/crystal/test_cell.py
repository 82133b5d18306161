"""One unit cell: what follows from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal, zone_axis_indices
from pacbed.errors import StructureError

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


def test_site_types_have_no_seams():
    """Noise on a value that ends on a 5 in its last decimal, and one unit of the last decimal, are no difference."""
    places = [[0.1, 0, 0], [0.3, 0, 0], [0.5, 0, 0], [0.7, 0, 0], [0.9, 0, 0]]
    u = np.array([0.008115, 0.008115 + 1e-12, 0.008115 - 1e-12, 0.00812, 0.00815])
    occupancy = [0.33335, 0.33335 + 1e-12, 0.3333, 0.3334, 0.3334]
    crystal = replace(_crystal(places, ["O"] * 5, occupancy), displacement=u[:, None, None] * np.eye(3))
    assert crystal.site_types().tolist() == [0, 0, 0, 0, 1]


def test_like_ions_on_one_site_are_told_apart():
    places = [[0.1, 0, 0], [0.1, 0, 0], [0.6, 0, 0], [0.6, 0, 0]]
    assert _crystal(places, ["Fe"] * 4, [0.5] * 4).site_types().tolist() == [0, 1, 0, 1]


HEXAGONAL = np.array([[3.0, 0, 0], [-1.5, 3 * np.sqrt(0.75), 0], [0, 0, 5.0]])


@pytest.mark.parametrize(("axis", "three"), [
    ((0, 0, 0, 1), (0, 0, 1)), ((1, 1, -2, 0), (1, 1, 0)), ((2, -1, -1, 0), (1, 0, 0)), ((1, 0, -1, 0), (2, 1, 0)),
    ((1, -1, 0, 0), (1, -1, 0)), ((1, 1, -2, 3), (1, 1, 1)), ((0, 0, 2), (0, 0, 1)), ((2, 4, -2), (1, 2, -1)),
    ((1, 2, 3), (1, 2, 3)),
])  # fmt: skip
def test_zone_axes_in_three_shortest_indices(axis, three, caplog):
    """The direction u a1 + v a2 + t a3 + w c with a3 = -(a1 + a2) is that of the three indices; changes are logged."""
    caplog.set_level("INFO")
    found = zone_axis_indices(axis, HEXAGONAL)
    assert found == three
    if len(axis) == 4:
        a1, a2, c = HEXAGONAL
        direction = axis @ np.array([a1, a2, -(a1 + a2), c])
        np.testing.assert_allclose(np.cross(direction, np.array(found) @ HEXAGONAL), 0, atol=1e-9)
        assert direction @ (np.array(found) @ HEXAGONAL) > 0
    assert ("of the published cell" in caplog.text) == (axis != three)


@pytest.mark.parametrize("axis", [(0, 0, 0), (0.5, 0, 1), (1, 0), (1, 1, 1, 0), (0, 0, 0, 0), (1, 1, -2, 0, 0)])
def test_zone_axes_that_are_none(axis):
    with pytest.raises(StructureError, match="zone_axis: got"):
        zone_axis_indices(axis, HEXAGONAL)


@pytest.mark.parametrize("cell", [np.eye(3) * 4, CELL, HEXAGONAL * [[1], [1.01], [1]]])
def test_four_indices_are_for_hexagonal_cells(cell):
    with pytest.raises(
        StructureError, match=r"accepted: four integers \[u, v, t, w\] with t = -\(u \+ v\) for a hexagonal"
    ):
        zone_axis_indices((1, 1, -2, 0), cell)
