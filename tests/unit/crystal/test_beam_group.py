"""Operations that keep the beam direction: of crystals whose groups are known, and of displacement tensors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.beam_group import (
    beam_group,
    lattice_translations,
    symmetrised,
    symmetry_operations,
    upright_operations,
)
from pacbed.crystal.cell import Crystal, SymmetryOperation
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.errors import StructureError

STRUCTURES, DATA = Path(__file__).parents[3] / "structures", Path(__file__).parent / "data"


def _one_atom(tensor) -> Crystal:
    """A primitive tetragonal crystal of one vibrating atom."""
    cell = np.diag([4.0, 4.0, 5.0])
    return Crystal(cell, ["Sr"], np.zeros((1, 3)), np.ones(1), np.array([tensor], dtype=float), "Sr", "one atom")


def _wurtzite(fractional: np.ndarray) -> Crystal:
    """GaN with the four atoms of its cell."""
    cell = np.array([[3.189, 0, 0], [-1.5945, 3.189 * np.sqrt(0.75), 0], [0, 0, 5.1855]])
    tensors = np.array([0.004 * np.eye(3)] * 4)
    return Crystal(cell, ["Ga", "Ga", "N", "N"], fractional @ cell, np.ones(4), tensors, "GaN", "wurtzite")


def test_screw_axis_is_not_a_symmetry_of_the_slab():
    """Rutile's 4_2 axis and its n glides have a part along the beam: mm2 with mirrors on the diagonals remains."""
    group = beam_group(orient(read_cif(STRUCTURES / "rutile.cif"), (0, 0, 1)))
    mirrors = [operation.tolist() for operation in group if round(np.linalg.det(operation)) == -1]
    assert sorted(mirrors) == [[[0, -1], [-1, 0]], [[0, 1], [1, 0]]]


def test_upright_operations_carry_the_crystal_into_itself():
    """P4_2/mnm has the eight operations 4mm upright, four of them lifted by half a period; each atom finds another."""
    oriented = orient(read_cif(STRUCTURES / "rutile.cif"), (0, 0, 1))
    found = upright_operations(oriented)
    assert found.matrices.shape == (8, 2, 2)
    assert found.matrices[0].tolist() == [[1, 0], [0, 1]]
    assert sorted(np.round(np.abs(found.lifts), 6)) == [0.0] * 4 + [0.5] * 4
    for rotation, translation in symmetry_operations(oriented):
        turned = oriented.fractional @ rotation.T + translation
        offset = turned[:, None] - oriented.fractional
        distance = np.linalg.norm((offset - np.round(offset)) @ oriented.cell, axis=-1)
        image = distance.argmin(axis=1)
        assert distance.min(axis=1).max() < 1e-3
        assert [oriented.symbols[index] for index in image] == oriented.symbols


@pytest.mark.parametrize(("tensor", "order"), [
    (np.diag([0.01, 0.01, 0.02]), 8),
    (np.diag([0.01, 0.02, 0.01]), 4),
    ([[0.01, 0.004, 0], [0.004, 0.01, 0], [0, 0, 0.01]], 4),
    ([[0.01, 0.004, 0], [0.004, 0.02, 0], [0, 0, 0.01]], 2),
    ([[0.01, 0.0, 0.003], [0.0, 0.01, 0], [0.003, 0, 0.01]], 2),
])  # fmt: skip
def test_tensors_lower_the_symmetry(tensor, order):
    """4mm of the lattice, less what turns the ellipsoid: 2mm along its axes, 2 at an angle, m where it leans over."""
    assert len(beam_group(_one_atom(tensor))) == order


def test_tensors_of_equal_principal_values_have_their_axes():
    """Two atoms alike for spglib, one ellipsoid turned by 90 degrees: the exchange needs the turn."""
    cell = np.diag([4.0, 4.0, 5.0])
    tensors = np.array([np.diag([0.01, 0.02, 0.01]), np.diag([0.02, 0.01, 0.01])])
    positions = np.array([[0, 0, 0], [0.5, 0.5, 0]]) @ cell
    crystal = Crystal(cell, ["Sr"] * 2, positions, np.ones(2), tensors, "Sr", "test")
    assert len(beam_group(crystal)) == 8  # the quarter turns exchange the two
    assert len(beam_group(replace(crystal, displacement=tensors[[0, 0]]))) == 4


@pytest.mark.parametrize(("name", "operations"), [
    ("g3_gan_6dec", 12), ("g3b_gan_5dec", 12), ("g3c_gan_8dec", 12), ("material_linbo3", 18), ("g1_anatase_6dec", 32),
    ("l1_utie", 48), ("k2_mos2_0.3333", 24), ("k4_lsmo_0.3333ops", 36),
])  # fmt: skip
def test_decimals_cost_no_operation(name, operations):
    """Of the space groups, centring included: P6_3mc, R3c, I4_1/amd, Pm-3m with U on a seam, P6_3/mmc, R-3c."""
    crystal = read_cif(DATA / f"{name}.cif")
    assert len(symmetry_operations(crystal)) == operations


@pytest.mark.parametrize("decimals", [3, 4, 5, 6, 8])
def test_atoms_go_onto_their_special_positions(decimals, caplog):
    """Wurtzite without a list of operations, 1/3 in a few decimals: 12 operations, and positions exact afterwards."""
    ideal = np.array([[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, 0.377], [2 / 3, 1 / 3, 0.877]])
    caplog.set_level("INFO")
    crystal = _wurtzite(np.round(ideal, decimals))
    operations = symmetry_operations(crystal)
    assert len(operations) == 12
    found = symmetrised(crystal, operations).fractional
    offset = found - ideal
    assert np.abs(offset - offset.mean(axis=0))[:, :2].max() < (1e-9 if decimals < 6 else 1e-5)
    assert ("atoms moved onto their special positions" in caplog.text) == (decimals < 6)
    twice = symmetrised(symmetrised(crystal, operations), operations)
    np.testing.assert_allclose(twice.fractional, found, atol=1e-9)


def test_a_real_displacement_stays():
    moved = np.array([[1 / 3 + 0.01, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, 0.377], [2 / 3, 1 / 3, 0.877]])
    crystal = _wurtzite(moved)
    operations = symmetry_operations(crystal)
    assert len(operations) < 12
    np.testing.assert_allclose(symmetrised(crystal, operations).fractional, moved, atol=1e-9)


@pytest.mark.parametrize(("b", "order"), [(4.0, 16), (4.0005, 16), (4.003, 8)])
def test_a_strained_lattice_has_less_symmetry(b, order):
    strained = replace(_one_atom(0.01 * np.eye(3)), cell=np.diag([4.0, b, 5.0]))
    assert len(symmetry_operations(strained)) == order


def test_two_like_ions_share_a_site():
    one = _one_atom(0.01 * np.eye(3))
    shared = replace(one, symbols=["Fe"] * 2, positions=np.zeros((2, 3)), occupancy=np.full(2, 0.5),
                     displacement=np.repeat(one.displacement, 2, axis=0))  # fmt: skip
    assert len(symmetry_operations(shared)) == 16


def test_translations_are_exact_fractions():
    crystal = read_cif(DATA / "k4_lsmo_0.3333ops.cif")
    found = lattice_translations(symmetry_operations(crystal))
    assert found.tolist() == [[0, 0, 0], [1 / 3, 2 / 3, 2 / 3], [2 / 3, 1 / 3, 1 / 3]]


def test_translations_that_are_no_group_are_left_out():
    shifts = [(0, 0, 0), (0.5, 0, 0), (0, 0.5, 0)]
    operations = [SymmetryOperation(np.eye(3, dtype=int), np.array(shift)) for shift in shifts]
    assert lattice_translations(operations).tolist() == [[0, 0, 0]]


def test_what_spglib_refuses_is_refused_with_the_file():
    with pytest.raises(StructureError, match="one atom: spglib finds no symmetry"):
        symmetry_operations(replace(_one_atom(np.eye(3)), symbols=["Sr"] * 2, occupancy=np.ones(2),
                                    positions=np.array([[0, 0, 0], [0.06, 0, 0]]), displacement=np.zeros((2, 3, 3))),
                            tolerance_a=0.1)  # fmt: skip
