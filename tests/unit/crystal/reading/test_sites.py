"""Rows of the atom sites."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.reading.sites import read_sites
from pacbed.errors import StructureError

POSITIONS = "label fract_x fract_y fract_z"


def test_a_site(block):
    (site, _), notes = read_sites(block(rows=("A1 Ti4+ 0.1234(5) -.5 1.25 0.75(2) 0.01", "O2 O 0 0 0 1 0.01")))
    assert (site.label, site.element, site.occupancy, site.row) == ("A1", "Ti", 0.75, 0)
    np.testing.assert_allclose(site.fractional, [0.1234, -0.5, 1.25])
    np.testing.assert_allclose(site.unit, [1e-4, 0.1, 0.01])
    assert notes == []


@pytest.mark.parametrize("occupancy", ["?", ".", "1", "1.", "1.000", "'1'"])
def test_a_full_site(block, occupancy):
    sites, _ = read_sites(block(rows=(f"Cs1 Cs 0 0 0 {occupancy} 0.02",)))
    assert [site.occupancy for site in sites] == [1.0]


def test_columns_that_may_be_absent(block):
    (site,), _ = read_sites(block(columns=POSITIONS, rows=("SI1 0 0 0",)))
    assert (site.element, site.occupancy) == ("Si", 1.0)
    sites, _ = read_sites(block(columns="type_symbol fract_x fract_y fract_z", rows=("Si 0 0 0", "Si .5 .5 .5")))
    assert [site.element for site in sites] == ["Si", "Si"]
    assert len({site.label for site in sites}) == 2
    (site,), _ = read_sites(block(columns=f"type_symbol {POSITIONS}", rows=("? Cs1 0 0 0",)))
    assert site.element == "Cs"


def test_an_empty_site_is_left_out(block):
    sites, notes = read_sites(block(rows=("Cs1 Cs 0 0 0 1 0.02", "Na9 Na 0.5 0 0 0.0 0.02")))
    assert [site.label for site in sites] == ["Cs1"]
    assert notes == ["site Na9 has occupancy 0 and is left out"]
    with pytest.raises(StructureError, match="got '0 of every site'"):
        read_sites(block(rows=("Cs1 Cs 0 0 0 0 0.02",)))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("Cl1 Cl 1/3 0 0 1 0.02", "position of Cl1, _atom_site_fract_x: got '1/3', accepted: a number; fractions"),
        ("Cl1 Cl 0 0,5 0 1 0.02", "position of Cl1, _atom_site_fract_y: got '0,5'"),
        ("Cl1 Cl 0 0 ? 1 0.02", r"position of Cl1, _atom_site_fract_z: got '\?'"),
        ("Cl1 Cl 0 0 0 1.008(9) 0.02", r"occupancy of Cl1: got '1\.008\(9\)', .*write 1"),
        ("Cl1 Cl 0 0 0 -0.1 0.02", r"occupancy of Cl1: got '-0\.1'"),
        ("Cl1 Cl 0 0 0 full 0.02", "occupancy of Cl1: got 'full'"),
        ("Q1 Q 0 0 0 1 0.02", "element of Q1: got 'Q', accepted: the symbol"),
        ("Wat1 ? 0 0 0 1 0.02", "element of Wat1: got 'Wat1'"),
        ("? Cl 0.5 0.5 0.5 1 0.02", r"_atom_site_label: got '\?'"),
    ],
)
def test_a_bad_row_is_named_with_its_line(block, row, words):
    with pytest.raises(StructureError, match=rf"made\.cif, line 21: {words}"):
        read_sites(block(rows=("Cs1 Cs 0 0 0 1 0.02", row), more="_a b"))


def test_dummies(block):
    with pytest.raises(StructureError, match="calc_flag of Cl1: got 'dum'"):
        read_sites(block(columns=f"{POSITIONS} calc_flag", rows=("Cs1 0 0 0 d", "Cl1 0.5 0 0 dum")))


def test_columns_that_are_needed(block):
    with pytest.raises(StructureError, match="lists no complete fractional atom positions"):
        read_sites(block(columns="label fract_x fract_y", rows=("Cs1 0 0",)))
    with pytest.raises(StructureError, match="_atom_site_label: got 'no such tag'"):
        read_sites(block(columns="fract_x fract_y fract_z", rows=("0 0 0",)))


def test_columns_of_another_loop(block):
    more = "loop_\n_atom_site_occupancy\n0.5\n0.5"
    with pytest.raises(StructureError, match="_atom_site_occupancy: got 'another loop'"):
        read_sites(block(columns=POSITIONS, rows=("Cs1 0 0 0", "Cl1 .5 .5 .5"), more=more))


DISORDER = "label type_symbol fract_x fract_y fract_z occupancy disorder_assembly disorder_group"


@pytest.mark.parametrize(
    "rows",
    [
        ("Cl1 Cl 0.5 0.5 0.5 1 A 1", "Cl2 Cl 0.5 0.5 0 1 A 2"),
        ("Cl1 Cl 0.5 0.5 0.5 ? . 1", "Cl2 Cl 0.5 0.5 0 0.4 . 2"),
        ("Cl1 Cl 0.5 0.5 0.5 0.5 A 1", "Cl2 Cl 0.5 0.5 0 0.4 A 2", "Cl3 Cl 0.5 0 0 0.3 A 3"),
    ],
)
def test_alternatives_are_not_all_there(block, rows):
    """Far from each other, so that no distance tells."""
    with pytest.raises(StructureError, match=r"disorder assembly [A.], .*group 1 \S+, group 2 .*up to 1 in all"):
        read_sites(block(columns=DISORDER, rows=("Cs1 Cs 0 0 0 1 . .", *rows)))


@pytest.mark.parametrize(
    "rows",
    [
        ("Cl1 Cl 0.5 0.5 0.5 0.6 A 1", "Cl2 Cl 0.5 0.5 0 0.4 A 2"),
        ("Cl1 Cl 0.5 0.5 0.5 0.67 A 1", "Cl2 Cl 0.5 0.5 0 0.34 A 2"),
        ("Cl1 Cl 0.5 0.5 0.5 1 A 1", "Cl2 Cl 0.5 0.5 0 1 B 1"),
        ("Cl1 Cl 0.5 0.5 0.5 0.8 . 1", "Cl2 Cl 0.5 0 0 0.2 . 2", "F1 F 0 0.5 0 0.5 . 1", "F2 F 0 0 0.5 0.5 . 2"),
        ("Cl1 Cl 0.5 0.5 0.5 1 A -1", "Cl2 Cl 0.5 0.5 0 1 . 0"),
    ],
)
def test_alternatives_that_share_an_occupancy(block, rows):
    sites, notes = read_sites(block(columns=DISORDER, rows=("Cs1 Cs 0 0 0 1 . .", *rows)))
    assert len(sites) == 1 + len(rows)
    assert notes == []


def test_hydrogen_without_a_position_is_told(block):
    columns = "label type_symbol fract_x fract_y fract_z attached_hydrogens"
    _, notes = read_sites(block(columns=columns, rows=("Cs1 Cs 0 0 0 0", "O1 O 0.5 0.5 0.5 1", "O2 O 0.5 0.5 0 ?")))
    assert notes == ["hydrogen attached to O1 has no position and is left out"]


def test_a_label_of_another_element_is_told(block):
    sites, notes = read_sites(block(rows=("Na1 Cs 0 0 0 1 0.02", "A1 Cl 0.5 0.5 0.5 1 0.03", "H2 D 0.5 0 0 1 0.02")))
    assert [site.element for site in sites] == ["Cs", "Cl", "D"]
    assert notes == ["site Na1 is Cs by its type symbol", "site H2 is D by its type symbol"]


def test_sites_with_one_label_are_told_apart(block):
    rows = ("O O 0 0 0 1 0.02", "Cs Cs 0.5 0.5 0.5 1 0.02", "O O 0.5 0 0 1 0.02")
    sites, notes = read_sites(block(rows=rows))
    assert [(site.label, site.element) for site in sites] == [("O_1", "O"), ("Cs", "Cs"), ("O_3", "O")]
    assert notes == ["sites with one label, O, are told apart by their rows"]
    with pytest.raises(StructureError, match="got 'O in several rows', accepted: a label of its own"):
        read_sites(block(rows=(*rows, "O_1 O 0 0.5 0 1 0.02")))


@pytest.mark.parametrize(("text", "occupancy"), [("1.00002", 1.0), ("1.0005", 1.0), ("0.99998", 0.99998)])
def test_a_full_site_but_for_rounding(block, text, occupancy):
    sites, _ = read_sites(block(rows=(f"Cs1 Cs 0 0 0 {text} 0.02",)))
    assert sites[0].occupancy == occupancy


def test_a_position_far_from_every_cell(block):
    with pytest.raises(StructureError, match=r"_atom_site_fract_x: got '1e300', accepted: a number; .*up to 100"):
        read_sites(block(rows=("Cs1 Cs 1e300 0 0 1 0.02",)))
