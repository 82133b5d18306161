"""Operations that keep the beam direction: of crystals whose groups are known, and of displacement tensors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.beam_group import beam_group, symmetry_operations, upright_operations
from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.errors import StructureError

STRUCTURES = Path(__file__).parents[3] / "structures"


def _one_atom(tensor) -> Crystal:
    """A primitive tetragonal crystal of one vibrating atom."""
    cell = np.diag([4.0, 4.0, 5.0])
    return Crystal(cell, ["Sr"], np.zeros((1, 3)), np.ones(1), np.array([tensor], dtype=float), "Sr", "one atom")


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


def test_a_crystal_that_is_none_is_refused():
    same = replace(_one_atom(np.eye(3)), symbols=["Sr"] * 2, positions=np.zeros((2, 3)), occupancy=np.ones(2),
                   displacement=np.zeros((2, 3, 3)))  # fmt: skip
    with pytest.raises(StructureError, match="one atom: spglib finds no symmetry"):
        symmetry_operations(same)
