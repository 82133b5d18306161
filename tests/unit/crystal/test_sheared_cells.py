"""Zone axes without a lattice plane normal to them: primitive sheared cells of any lattice."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from ase.cell import Cell

from pacbed.crystal.cell import Crystal
from pacbed.crystal.orientation import orient
from pacbed.crystal.slicing import slice_potentials

MONOCLINIC = np.array(Cell.fromcellpar([5.1, 6.3, 7.4, 90, 103, 90]))
TRICLINIC = np.array(Cell.fromcellpar([4.3, 5.6, 6.9, 81, 97, 106]))
CENTRING = {
    "P": [(0, 0, 0)],
    "C": [(0, 0, 0), (0.5, 0.5, 0)],
    "F": [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)],
}
CASES = [
    (MONOCLINIC, "P", (0, 0, 1)),
    (MONOCLINIC, "P", (1, -2, 3)),
    (MONOCLINIC, "C", (1, 1, 0)),
    (MONOCLINIC, "C", (2, 2, 0)),
    (MONOCLINIC, "C", (1, 0, 2)),
    (TRICLINIC, "P", (0, 0, 1)),
    (TRICLINIC, "P", (1, 2, -1)),
    (TRICLINIC, "P", (7, 1, 2)),
]


def crystal(cell: np.ndarray, centring: str = "P") -> Crystal:
    """Three unlike atoms on general positions."""
    basis = np.array([[0.05, 0.12, 0.03], [0.31, 0.72, 0.45], [0.83, 0.41, 0.66]])
    fractional = np.concatenate([basis + shift for shift in CENTRING[centring]]) % 1.0
    count = len(CENTRING[centring])
    tensor = np.array([[0.006, 0.001, 0.0], [0.001, 0.004, 0.0005], [0.0, 0.0005, 0.008]])
    symbols = ["Sr", "Ti", "O"] * count
    return Crystal(
        cell, symbols, fractional @ cell, np.ones(3 * count), np.array([tensor] * 3 * count), "OSrTi", "test"
    )


def _primitive_vectors(cell: np.ndarray, centring: str, reach: int) -> np.ndarray:
    whole = np.array(list(product(range(-reach, reach + 1), repeat=3)), dtype=float)
    return np.concatenate([whole + shift for shift in CENTRING[centring]]) @ cell


@pytest.mark.parametrize(("cell", "centring", "axis"), CASES)
def test_the_cell_is_primitive_short_and_holds_the_crystal(cell, centring, axis):
    published = crystal(cell, centring)
    oriented = orient(published, axis)
    a, b, c = oriented.cell
    count = len(CENTRING[centring])
    assert np.linalg.det(oriented.cell) == pytest.approx(published.volume_a3 / count)
    assert sorted(oriented.symbols) == ["O", "Sr", "Ti"]
    assert a[1] == pytest.approx(0, abs=1e-9)
    assert a[0] > 0
    np.testing.assert_allclose(c[:2], 0, atol=1e-9)
    assert max(abs(a[2]), abs(b[2])) <= 0.5001 * c[2]
    # The shortest two independent vectors of the lattice as seen along the beam, found here by brute force.
    direction = -(np.array(axis) @ cell) / np.linalg.norm(np.array(axis) @ cell)
    vectors = _primitive_vectors(cell, centring, 9)
    seen = vectors - np.outer(vectors @ direction, direction)
    lengths = np.linalg.norm(seen, axis=1)
    shortest = lengths[lengths > 1e-6].min()
    assert np.linalg.norm(a[:2]) == pytest.approx(shortest, abs=1e-3)
    first = seen[np.argmin(np.where(lengths > 1e-6, lengths, np.inf))]
    independent = np.linalg.norm(np.cross(seen, first), axis=1) > 1e-6
    assert np.linalg.norm(b[:2]) == pytest.approx(lengths[independent].min(), abs=1e-3)


@pytest.mark.parametrize(("cell", "centring", "axis"), CASES)
def test_the_re_based_crystal_is_the_published_one_turned(cell, centring, axis):
    """All distances between unlike atoms, displacement tensors along them included, are those of the published cell."""
    published, oriented = crystal(cell, centring), orient(crystal(cell, centring), axis)

    def environment(structure: Crystal) -> np.ndarray:
        strontium, oxygen = (structure.symbols.index(symbol) for symbol in ("Sr", "O"))
        shifts = np.array(list(product(range(-9, 10), repeat=3))) @ structure.cell
        oxygens = np.flatnonzero(np.array(structure.symbols) == "O")
        bonds = (structure.positions[oxygens][:, None] + shifts - structure.positions[strontium]).reshape(-1, 3)
        length = np.linalg.norm(bonds, axis=1)
        near = bonds[np.argsort(length)[:12]]
        return np.column_stack(
            [np.linalg.norm(near, axis=1), np.einsum("ni,ij,nj->n", near, structure.displacement[oxygen], near)]
        )

    np.testing.assert_allclose(environment(oriented), environment(published), atol=1e-6)


def test_the_slope_is_the_height_of_the_in_plane_vectors():
    oriented = orient(crystal(TRICLINIC), (1, 2, -1))
    slices = slice_potentials(
        oriented, zone_axis=(1, 2, -1), energy_ev=200e3, grid=(24, 24), slices=3, thermal_model="debye_waller"
    )
    np.testing.assert_allclose(slices.cell_a @ slices.slope, oriented.cell[:2, 2])
    assert np.linalg.norm(slices.slope) > 0.1


def test_rounding_in_a_file_is_no_slope():
    cell = np.array(Cell.fromcellpar([5.1, 6.3, 7.4, 90, 90.003, 90]))
    oriented = orient(crystal(cell), (0, 0, 1))
    slices = slice_potentials(
        oriented, zone_axis=(0, 0, 1), energy_ev=200e3, grid=(24, 24), slices=3, thermal_model="debye_waller"
    )
    assert oriented.cell[0, 2] != 0
    np.testing.assert_array_equal(slices.slope, [0.0, 0.0])


@pytest.mark.parametrize(("axis", "atoms"), [((1, 1, 0), 2), ((0, 0, 1), 2), ((1, 1, 1), 3), ((1, 3, 9), 1)])
def test_centred_lattices_shrink_and_keep_no_atom_twice(axis, atoms):
    """Face-centred cubic: the cell along [110] has half the atoms of the published one, along [111] three quarters."""
    cell = np.eye(3) * 4.0
    fractional = np.array(CENTRING["F"])
    gold = Crystal(cell, ["Au"] * 4, fractional @ cell, np.ones(4), np.zeros((4, 3, 3)), "Au", "test")
    oriented = orient(gold, axis)
    assert len(oriented.symbols) == atoms
    assert oriented.volume_a3 / atoms == pytest.approx(16.0)
    normal = np.allclose(oriented.cell[:2, 2], 0, atol=1e-9)
    assert normal == (axis != (1, 3, 9))


def test_a_mixed_site_of_a_centred_lattice_keeps_both_elements():
    cell = np.eye(3) * 4.0
    fractional = np.repeat(np.array(CENTRING["F"]), 2, axis=0)
    alloy = Crystal(
        cell, ["Au", "Cu"] * 4, fractional @ cell, np.array([0.25, 0.75] * 4), np.zeros((8, 3, 3)), "AuCu3", "test"
    )
    oriented = orient(alloy, (1, 1, 0))
    assert sorted(zip(oriented.symbols, oriented.occupancy, strict=True)) == [("Au", 0.25)] * 2 + [("Cu", 0.75)] * 2
