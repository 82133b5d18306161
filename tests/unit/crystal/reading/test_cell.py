"""Lengths, angles, and the symmetry that a cell has."""

from __future__ import annotations

import numpy as np
import pytest
from ase.geometry import cellpar_to_cell

from pacbed.crystal.reading.cell import UnitCell, read_cell
from pacbed.errors import StructureError

QUARTER = np.array([[[0, -1, 0], [1, 0, 0], [0, 0, 1]]])
TRIAD = np.array([[[0, -1, 0], [1, -1, 0], [0, 0, 1]]])
IDENTITY = np.eye(3, dtype=int)[None]


def _cell(*parameters: float) -> UnitCell:
    return UnitCell(np.array(parameters, dtype=float), 2e-3, 0.06)


@pytest.mark.parametrize(
    "parameters",
    [(4, 5, 6, 90, 90, 90), (4, 4, 6, 90, 90, 120), (4.75, 4.75, 4.75, 57.24, 57.24, 57.24), (5, 6, 7, 81, 95.5, 70)],
)
def test_vectors_are_those_of_another_program(parameters):
    np.testing.assert_array_equal(_cell(*parameters).lattice, cellpar_to_cell(parameters))


def test_reading(block):
    cell, notes = read_cell(block(cell="4.120(3) '4.12' 4.1 90.00(2) . 90"))
    assert cell.parameters == pytest.approx([4.12, 4.12, 4.1, 90, 90, 90])
    assert cell.length_error_a == pytest.approx(0.02)  # a last digit of 0.1 counts as no more
    assert len(notes) == 1
    assert "_cell_angle_beta is '.', taken as 90" in notes[0]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("4,12 4 4 90 90 90", "line 2: cell length, _cell_length_a: got '4,12', .*decimal point"),
        ("4 ? 4 90 90 90", r"_cell_length_b: got '\?', accepted: a number in Å"),
        ("4 . 4 90 90 90", r"_cell_length_b: got '\.'"),
        ("4 4 4 ? 90 90", r"cell angle, _cell_angle_alpha: got '\?', accepted: .*write 90"),
        ("4 4 -4 90 90 90", "cell of test: got '4, 4, -4, 90, 90, 90', accepted: three lengths above 0"),
        ("4 4 4 90 90 180", "cell of test"),
        ("4 4 4 30 40 80", "cell of test"),
    ],
)
def test_no_cell(block, cell, words):
    with pytest.raises(StructureError, match=words):
        read_cell(block(cell=cell))


def test_a_missing_angle_is_not_a_right_one(block, text):
    whole = text().replace("_cell_angle_gamma 90\n", "")
    with pytest.raises(StructureError, match="_cell_angle_gamma: got 'no such tag'"):
        read_cell(block(whole))


def test_misfit_in_units_of_the_digits():
    assert _cell(4, 4, 6, 90, 90, 90).misfit(QUARTER) == pytest.approx([0], abs=1e-9)
    assert _cell(4, 4.004, 6, 90, 90, 90).misfit(QUARTER) == pytest.approx([2])
    assert _cell(4, 4, 6, 90, 90, 120).misfit(TRIAD) == pytest.approx([0], abs=1e-9)
    assert _cell(4, 4, 6, 90, 90, 90).misfit(TRIAD)[0] > 100


def test_strain():
    assert _cell(3.905, 3.95, 3.905, 90, 90, 90).is_strained(QUARTER)
    assert not _cell(3.905, 4.1, 3.905, 90, 90, 90).is_strained(QUARTER)
    assert not _cell(4, 4, 6, 90, 92, 90).is_strained(QUARTER)


def test_symmetrised():
    both = np.concatenate([IDENTITY, QUARTER, QUARTER @ QUARTER, QUARTER @ QUARTER @ QUARTER])
    found = _cell(4, 4.001, 6, 90.01, 90, 90).symmetrised(both)
    assert found.parameters == pytest.approx([np.sqrt((16 + 4.001**2) / 2)] * 2 + [6, 90, 90, 90])
    exact = _cell(4, 4, 6, 90, 90, 90)
    assert exact.symmetrised(both) is exact
