"""Results of one crystal, axis and voltage go together; others are refused by name."""

import pytest

from pacbed.errors import FormatError
from pacbed.systems import System, check_same_system, shortest_indices

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
