"""Occupancies that fill no site, and one displacement parameter for all of them."""

from __future__ import annotations

import pytest

from pacbed.crystal.cif import read_cif, read_structure
from pacbed.crystal.reading import ReadingChoices
from pacbed.errors import StructureError

PARTS = {"cell": "3.905 3.905 3.905 90 90 90", "symbol": "P m -3 m"}
NOTE = "all sites have U = 0.0127 Å^2 (B = 1 Å^2): an overall value, or one that a program wrote where none was known"
SHARES = ("Sr1 Sr 0 0 0 0.02083 .008", "Ti1 Ti .5 .5 .5 0.02083 .005", "O1 O .5 .5 0 0.0625 .009")


def test_shares_of_a_general_position_are_no_occupancies(made):
    path = made(**PARTS, rows=SHARES)
    with pytest.raises(StructureError, match=r"no site is filled: got '0\.0625 in the fullest of 3 sites'"):
        read_cif(path)
    assert len(read_structure(path, ReadingChoices(accept_contradictions=("density",))).crystal.symbols) == 5


@pytest.mark.parametrize(
    "rows",
    [
        ("Ag1 Ag .25 .5 0 0.0625 .02", "I1 I 0 0 0 1 .02"),  # one sublattice is molten
        tuple(f"A{number} {name} 0 0 0 0.2 .01" for number, name in enumerate(("Cr", "Mn", "Fe", "Co", "Ni"))),
        tuple(f"Cs{number} Cs {number * 0.05} 0 0 0.25 .02" for number in range(4)),  # alternatives of one atom
    ],
)
def test_sites_that_are_filled_together(made, rows):
    assert read_cif(made(cell="5.04 5.04 5.04 90 90 90", rows=rows)).symbols


def _notes(made, first: str, second: str, **given: float) -> tuple[str, ...]:
    columns = "label type_symbol fract_x fract_y fract_z occupancy B_iso_or_equiv"
    path = made(columns=columns, rows=(f"Cs1 Cs 0 0 0 1 {first}", f"Cl1 Cl 0.5 0.5 0.5 1 {second}"))
    return read_structure(path, ReadingChoices(displacements=given)).notes


def test_a_value_that_a_program_filled_in_is_told(made):
    assert _notes(made, "1.000000", "1.000000") == (NOTE,)


@pytest.mark.parametrize("values", [("1", "1.2"), ("0", "0"), ("?", "?")])
def test_measured_and_missing_values_are_not(made, values):
    assert _notes(made, *values) == ()


def test_values_of_the_configuration_are_not(made):
    assert not [note for note in _notes(made, "?", "?", Cs=1e-4, Cl=1e-4) if note.startswith("all sites")]
