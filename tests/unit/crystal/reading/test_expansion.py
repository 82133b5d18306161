"""Special positions, equivalent atoms, their tensors."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from pacbed.crystal.cif import read_cif, read_structure
from pacbed.crystal.identity import same_position
from pacbed.errors import StructureError

WURTZITE = "3.189 3.189 5.1855 90 90 120"
PEROVSKITE = "4 4 4 90 90 90"
OXYGEN = "O1 O .5 .5 0 1 .01"


def _gan(third: str, two_thirds: str) -> tuple[str, ...]:
    return (f"Ga1 Ga {third} {two_thirds} 0 1 0.004", f"N1 N {third} {two_thirds} 0.377 1 0.005")


@pytest.mark.parametrize(
    ("third", "two_thirds"),
    [
        *[("0.33", "0.67"), ("0.333", "0.667"), ("0.333", "0.666"), ("0.3333", "0.6667"), ("0.33333", "0.66667")],
        *[("0.333333", "0.666667"), ("0.33333333", "0.66666667"), ("0.3333000", "0.6667000"), ("-0.6667", "-.3333")],
    ],
)
def test_rounded_thirds(made, third, two_thirds):
    found = read_structure(made(cell=WURTZITE, symbol="P 63 m c", rows=_gan(third, two_thirds)))
    assert [site.multiplicity for site in found.sites] == [2, 2]
    thirds = 3 * found.crystal.fractional[:, :2]
    np.testing.assert_allclose(thirds, np.round(thirds), atol=4e-6)
    moved = abs(float(third) % 1 - 1 / 3) > 2e-6
    assert bool(found.notes) == moved
    if moved:
        assert "site Ga1 is put onto its special position, by" in found.notes[0]


@pytest.mark.parametrize(
    ("row", "multiplicity", "position"),
    [
        ("Fe1 Fe 0.1563 0.3127 0.25 1 0.01", 6, None),  # x, 2x, 1/4 of P 63/m m c
        ("Fe1 Fe 0.1563 0.3126 0.2499 1 0.01", 6, None),
        ("Fe1 Fe 0.1563 0.4700 0.25 1 0.01", 12, (0.1563, 0.47, 0.25)),
        ("Fe1 Fe 0.0001 0 0.1 1 0.01", 4, (0, 0, 0.1)),
        ("Fe1 Fe 0.12 0.42 0.37 1 0.01", 24, (0.12, 0.42, 0.37)),
    ],
)
def test_lines_and_planes(made, row, multiplicity, position):
    found = read_structure(made(cell="12 12 20 90 90 120", symbol="P 63/m m c", rows=(row,)))
    assert found.sites[0].multiplicity == multiplicity
    if position is None:
        x, y, z = found.sites[0].fractional
        assert y == pytest.approx(2 * x, abs=1e-12)
        assert z == pytest.approx(0.25, abs=1e-12)
    else:
        assert found.sites[0].fractional == pytest.approx(position, abs=1e-12)


@pytest.mark.parametrize("symbol", ["P m -3 m", "F d -3 m :1", "I 41/a m d :2", "R -3 c :H", "P 63/m m c", "P 21/c"])
def test_orbits_against_another_program(made, symbol):
    """Atoms of a general position, against gemmi's expansion of its own table."""
    group = gemmi.find_spacegroup_by_name(symbol)
    cell = {"P": "9 9 9 90 90 90", "F": "15 15 15 90 90 90", "I": "9 9 11 90 90 90", "R": "12 12 20 90 90 120"}[
        symbol[0]
    ]
    cell = {"P 63/m m c": "9 9 9 90 90 120", "P 21/c": "9 8 7 90 99 90"}.get(symbol, cell)
    point = np.array([0.0712, 0.1741, 0.2917])
    rows = (f"Fe1 Fe {point[0]} {point[1]} {point[2]} 1 0.01",)
    rows = (f"Fe1 Fe {point[0]} {point[1]} {point[2]} 1 0.01",)
    crystal = read_cif(made(cell=cell, symbol=symbol, rows=rows), accept_contradictions=["distance"])
    expected = np.array([op.apply_to_xyz(point.tolist()) for op in group.operations()]) % 1
    assert len(crystal.symbols) == len(expected)
    for atom in crystal.fractional:
        assert same_position(atom, expected, crystal.cell, 1e-6).sum() == 1


def test_a_tensor_turns_with_its_atom(made):
    """The Debye-Waller factor of an atom and an index is that of the turned atom and the turned index."""
    row = "Fe1 Fe 0.11 0.22 0.31 1 0.01"
    aniso = ("Fe1 0.01 0.02 0.03 0.004 0.001 0.002",)
    crystal = read_cif(made(cell="7 7 8 90 90 120", symbol="P 3", rows=(row,), aniso=aniso))
    turn = np.array([[-0.5, -np.sqrt(3) / 2, 0], [np.sqrt(3) / 2, -0.5, 0], [0, 0, 1]])
    np.testing.assert_allclose(crystal.displacement[1], turn @ crystal.displacement[0] @ turn.T, atol=1e-12)
    np.testing.assert_allclose(crystal.displacement[2], turn.T @ crystal.displacement[0] @ turn, atol=1e-12)


def test_a_tensor_that_its_site_forbids_is_averaged(made):
    aniso = ("Cs1 0.01 0.02 0.03 0 0 0",)
    found = read_structure(made(symbol="P m -3 m", aniso=aniso))
    np.testing.assert_allclose(found.crystal.displacement[0], 0.02 * np.eye(3), atol=1e-12)
    assert found.notes == ("displacement tensor of Cs1 is averaged over its site symmetry, by 0.01 Å^2",)
    rounded = read_structure(made(symbol="P m -3 m", aniso=("Cs1 0.0200 0.0201 0.0199 0 0 0",)))
    assert rounded.notes == ()


def test_split_positions(made):
    """Titanium along <111>, and two positions of one atom: of each at most one is there."""
    eight = ("Ba1 Ba 0 0 0 1 .008", "Ti1 Ti .52 .52 .52 .125 .005", OXYGEN)
    crystal = read_cif(made(cell=PEROVSKITE, symbol="P m -3 m", rows=eight))
    assert crystal.formula == "BaTiO3"
    assert crystal.symbols.count("Ti") == 8
    two = ("Ti1 Ti .5 .5 .52 .5 .005", "Ti2 Ti .5 .5 .48 .5 .005", OXYGEN)
    assert read_cif(made(cell=PEROVSKITE, rows=two)).symbols == ["Ti", "Ti", "O"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("Ti1 Ti .5054 .5 .5 1 .005", 5),  # six atoms 0.04 Å apart cannot be: one atom
        ("Ti1 Ti .5054 .5 .5 .1 .005", "images of occupancy 0.1, 0.04 Å apart', accepted: a position on the symmetry"),
        ("Ti1 Ti .52 .5 .5 1 .005", "distance: atoms Ti1 (Ti) and Ti1 (Ti) too close: got '0.11 Å apart'"),
    ],
)
def test_near_a_symmetry_element(made, row, expected):
    path = made(cell=PEROVSKITE, symbol="P m -3 m", rows=("Ba1 Ba 0 0 0 1 .008", row, OXYGEN))
    if isinstance(expected, int):
        assert len(read_cif(path).symbols) == expected
        return
    with pytest.raises(StructureError) as caught:
        read_cif(path)
    assert expected in str(caught.value)
