"""Re-basing: lengths, handedness, content, beam group."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.beam_group import beam_group
from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import _fill, orient
from pacbed.errors import StructureError

STRUCTURES, DATA = Path(__file__).parents[3] / "structures", Path(__file__).parent / "data"
CASES = [
    ("srtio3", (0, 0, 1), 8),
    ("srtio3", (1, 1, 0), 4),
    ("srtio3", (1, 1, 1), 6),
    ("rutile", (0, 0, 1), 4),
    ("rutile", (1, 1, 0), 4),
    ("beryl", (0, 0, 1), 6),
]


@pytest.mark.parametrize(("name", "axis", "order"), CASES)
def test_cell_content_and_group(name, axis, order):
    crystal = read_cif(STRUCTURES / f"{name}.cif")
    oriented = orient(crystal, axis)
    assert np.linalg.det(oriented.cell) > 0
    np.testing.assert_allclose(oriented.cell[2, :2], 0, atol=1e-9)
    np.testing.assert_allclose(oriented.cell[:2, 2], 0, atol=1e-9)
    assert oriented.cell[0, 1] == pytest.approx(0, abs=1e-9)
    density = len(crystal.symbols) / crystal.volume_a3
    assert len(oriented.symbols) / oriented.volume_a3 == pytest.approx(density)
    assert len(beam_group(oriented)) == order


def test_beam_travels_against_the_zone_axis():
    """A crystal with an arrow: heavy atom below light atom along +c; the beam along -c meets the light one first."""
    arrow = Crystal(
        cell=np.diag([4.0, 5.0, 6.0]),
        symbols=["C", "Au"],
        positions=np.array([[0.5, 0.7, 3.0], [0.5, 0.7, 1.0]]),
        occupancy=np.ones(2),
        displacement=np.zeros((2, 3, 3)),
        formula="CAu",
        source="test",
    )
    oriented = orient(arrow, (0, 0, 1))
    carbon, gold = (oriented.positions[oriented.symbols.index(symbol)] for symbol in ("C", "Au"))
    assert (gold - carbon)[2] == pytest.approx(2.0)
    # +x along a, z along -c, hence +y along -b: a right-handed frame.
    np.testing.assert_allclose(carbon[:2], [0.5, 5.0 - 0.7], atol=1e-4)


@pytest.mark.parametrize("name", ["g3_gan_6dec", "g3b_gan_5dec", "g3c_gan_8dec", "material_gan"])
@pytest.mark.parametrize("axis", [(1, 0, 0), (1, 1, 0), (2, 1, 0), (1, 1, -2, 0)])
def test_wurtzite_across_its_axis_has_eight_atoms(name, axis):
    """Twice the content of the hexagonal cell, whatever the decimals of 1/3 are; the c axis is polar."""
    oriented = orient(read_cif(DATA / f"{name}.cif"), axis)
    assert Counter(oriented.symbols) == {"Ga": 4, "N": 4}
    np.testing.assert_allclose(oriented.cell - np.diag(np.diag(oriented.cell)), 0, atol=1e-9)
    assert len(beam_group(oriented)) == 2


@pytest.mark.parametrize(("name", "axis", "atoms"), [
    ("g1_anatase_6dec", (0, 0, 1), 12), ("material_anatase", (0, 0, 1), 12), ("k4_lsmo_0.3333ops", (1, 1, 0), 24),
    ("k4_lsmo_0.3333ops", (2, 1, 0), 72), ("k2_mos2_0.3333", (1, 1, 0), 12), ("material_si", (1, 1, 0), 4),
])  # fmt: skip
def test_decimals_neither_double_atoms_nor_widen_cells(name, axis, atoms):
    assert len(orient(read_cif(DATA / f"{name}.cif"), axis).symbols) == atoms


@pytest.mark.parametrize(("factor", "centring", "words"), [
    (0.5, [[0, 0, 0]], "is no cell of the lattice; this is an error of pacbed"),
    (0.0, [[0, 0, 0]], "is no cell of the lattice"),
    (1.0, [[0, 0, 0], [0.5, 0.5, 0.5]], "are no translations; this is an error of pacbed"),
])  # fmt: skip
def test_what_is_no_lattice_of_the_crystal_is_an_error_of_ours(factor, centring, words):
    """Strontium titanate is primitive: there is no cell of half its edge, and no centring."""
    crystal = read_cif(STRUCTURES / "srtio3.cif")
    with pytest.raises(StructureError, match=words):
        _fill(crystal, factor * crystal.cell, np.eye(3), np.array(centring))


def test_a_lattice_vector_near_the_axis_is_not_the_axis():
    """[104] of a long cell is 0.7 degrees off [001], whose period is a quarter: 12 mrad would be no zone axis."""
    cell = np.diag([3.0, 3.5, 60.0])
    long = Crystal(cell, ["Sr"], np.zeros((1, 3)), np.ones(1), np.zeros((1, 3, 3)), "Sr", "long")
    oriented = orient(long, (1, 0, 4))
    assert oriented.cell[2] == pytest.approx([0, 0, np.hypot(3, 240)])
    assert len(oriented.symbols) / oriented.volume_a3 == pytest.approx(1 / long.volume_a3)


def test_a_cell_far_from_reduced_is_searched_widely():
    """The same lattice in a basis with large components: the primitive cell along the axis is found all the same."""
    cell = np.array([[4.3, 0, 0], [1.1, 5.6, 0], [0.7, -0.9, 6.9]])
    basis = np.array([[1, 3, 0], [0, 1, 0], [6, 0, 1]])
    tensor = np.diag([0.004, 0.006, 0.008])[None]
    plain = Crystal(cell, ["Sr"], np.zeros((1, 3)), np.ones(1), tensor, "Sr", "plain")
    skew = replace(plain, cell=basis @ cell)
    axis = np.array([1, 2, -1])
    found = orient(skew, np.round(axis @ np.linalg.inv(basis)).astype(int))
    expected = orient(plain, axis)
    assert found.volume_a3 == pytest.approx(plain.volume_a3)
    np.testing.assert_allclose(np.abs(found.cell @ found.cell.T), np.abs(expected.cell @ expected.cell.T), atol=1e-6)
    np.testing.assert_allclose(found.displacement[0, 2, 2], expected.displacement[0, 2, 2], atol=1e-9)


def test_equally_short_vectors_are_chosen_alike_whatever_noise_they_have():
    """The lengths end on a 5 in the fifth decimal: the first published vector is along x, noise or none."""
    for noise in (-1e-9, 0.0, 1e-9):
        cell = np.diag([3.90525 + noise, 3.90525, 4.0])
        tensors = np.array([np.diag([0.004, 0.006, 0.008])])
        crystal = Crystal(cell, ["Sr"], np.zeros((1, 3)), np.ones(1), tensors, "Sr", "seam")
        np.testing.assert_allclose(np.diag(orient(crystal, (0, 0, 1)).displacement[0]), [0.004, 0.006, 0.008])


@pytest.mark.parametrize("axis", [(0, 0, 0), (0.5, 0, 1), (1, 0)])
def test_bad_zone_axis(axis):
    with pytest.raises(StructureError, match="zone_axis: got"):
        orient(read_cif(STRUCTURES / "srtio3.cif"), axis)
