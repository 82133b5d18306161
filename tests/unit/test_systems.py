"""Results of one crystal, axis and voltage go together; others are refused by name."""

import pytest

from pacbed.errors import FormatError
from pacbed.systems import System, check_same_system, same_composition, shortest_indices

RUTILE = System("TiO2", (0, 0, 1), 80.0)


def test_equal_systems_pass_however_many():
    check_same_system(structure=RUTILE)
    check_same_system(structure=RUTILE, table=System("TiO2", (0, 0, 1), 80.0 + 1e-9), stack=RUTILE)


@pytest.mark.parametrize(
    "other", [System("SrTiO3", (0, 0, 1), 80.0), System("TiO2", (1, 0, 0), 80.0), System("TiO2", (0, 0, 1), 300.0)]
)
def test_the_one_that_differs_is_named_with_what_it_should_be(other):
    assert other.differs(RUTILE)
    assert RUTILE.differs(other)
    with pytest.raises(FormatError) as caught:
        check_same_system(structure=RUTILE, table=RUTILE, stack=other)
    assert str(caught.value) == f"stack: got {other}, accepted: that of the structure, TiO2 [0 0 1] at 80 keV"


def test_a_system_reads_as_people_write_it():
    assert str(System("Be3Al2Si6O18", (0, -1, 2), 299.5)) == "Be3Al2Si6O18 [0 -1 2] at 299.5 keV"


@pytest.mark.parametrize(("axis", "shortest"), [
    ((0, 0, 1), (0, 0, 1)), ((2, -4, 0), (1, -2, 0)), ((0, 0, 0, 2), (0, 0, 1)), ((1, 1, -2, 0), (1, 1, 0)),
    ((1, 0, -1, 0), (2, 1, 0)), ((2, -1, -1, 3), (1, 0, 1)),
])  # fmt: skip
def test_an_axis_in_three_shortest_indices(axis, shortest):
    assert shortest_indices(axis) == shortest


@pytest.mark.parametrize(("formula", "same"), [
    ("La0.7Sr0.3MnO3", True), ("La0.698Sr0.302MnO3", True), ("Sr0.3La0.7MnO3", True), ("La0.7Sr0.3MnO2.995", True),
    ("La0.5Sr0.5MnO3", False), ("La0.67Sr0.33MnO3", False), ("LaSrMnO3", False), ("La0.7Ca0.3MnO3", False),
    ("LaMnO3", False), ("La0.7Sr0.3MnO2.9", False),
])  # fmt: skip
def test_mixed_crystals_differ_by_more_than_rounding(formula, same):
    manganite, other = System("La0.7Sr0.3MnO3", (0, 0, 1), 300.0), System(formula, (0, 0, 1), 300.0)
    assert manganite.differs(other) is not same
    assert other.differs(manganite) is not same


def test_thirds_are_the_same_however_many_digits_they_have():
    assert same_composition("La0.67Sr0.33MnO3", "La0.667Sr0.333MnO3")
    assert same_composition("La0.66Sr0.34MnO3", "La0.67Sr0.33MnO3"), "the limit counts as the same"


def test_what_is_no_formula_is_compared_as_it_is():
    assert same_composition("unknown", "unknown")
    assert not same_composition("unknown", "SrTiO3")
    assert not same_composition("Sr0.5.5", "Sr0.5")
