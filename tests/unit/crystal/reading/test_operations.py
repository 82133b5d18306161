"""Listed symmetry operations."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.reading.operations import listed_operations
from pacbed.errors import StructureError

TWOFOLD_N = ("x,y,z", "-x,-y,-z", "-x+1/2,y+1/2,-z+1/2", "x+1/2,-y+1/2,z+1/2")


def test_operations_as_matrices(block):
    operations, notes = listed_operations(block(operations=TWOFOLD_N))
    assert notes == []
    assert operations.name == "P 1 21/n 1"
    np.testing.assert_array_equal(operations.rotations[2], np.diag([-1, 1, -1]))
    np.testing.assert_array_equal(operations.translations[3], [0.5, 0.5, 0.5])


@pytest.mark.parametrize(
    "written",
    [
        ("X, Y, Z", "-X,-Y,-Z", "0.5-X, .5+Y, 1/2-Z", "+x+0.5,-y+1/2,1/2+z"),
        ("+x,+y,+z", "-x,-y,-z", "1/2-x,1/2+y,1/2-z", "x-1/2,-y-1/2,z-1/2"),
        TWOFOLD_N[::-1],
    ],
)
def test_spellings_of_one_group(block, written):
    expected, _ = listed_operations(block(operations=TWOFOLD_N))
    found, _ = listed_operations(block(operations=written))
    assert found.key() == expected.key()


@pytest.mark.parametrize("third", ["0.33", "0.333", "0.3333", "0.333333", "1/3"])
def test_rounded_translations_are_exact_again(block, third):
    two = {"0.33": "0.67", "0.333": "0.667", "0.3333": "0.6667", "0.333333": "0.666667", "1/3": "2/3"}[third]
    centring = ("x,y,z", f"x+{two},y+{third},z+{third}", f"x+{third},y+{two},z+{two}")
    found, _ = listed_operations(block(operations=centring))
    np.testing.assert_array_equal(found.translations[1], np.array([16, 8, 8]) / 24)


def test_operations_with_factors(block):
    """A base-centred choice of axes of a hexagonal lattice: 2x stands for 2 * x."""
    found, _ = listed_operations(block(operations=("x,y,z", "-x,-2x+y,z")))
    np.testing.assert_array_equal(found.rotations[1], [[-1, 0, 0], [-2, 1, 0], [0, 0, 1]])


def test_no_list(block):
    assert listed_operations(block(symbol="P 1")) == (None, [])
    assert listed_operations(block(operations=("?",))) == (None, [])


def test_repeated_operations_count_once(block):
    found, notes = listed_operations(block(operations=("x,y,z", "-x,-y,-z", "x,y,z")))
    assert len(found) == 2
    assert "1 operations are listed twice" in notes[0]


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        (("x y z",), "number 1: got 'x y z', accepted: three terms"),
        (("x,y,z", "-x,-y"), "line 12: _space_group_symop_operation_xyz number 2: got '-x,-y'"),
        (("x,y,z,+1",), "number 1"),
        (("a,b,c",), "number 1"),
        (("x;y;z",), "number 1"),
        (("x,y,z", "x+0.123,y,z"), "number 2: got .*fractions"),
        (("x,y,z", "x+1/5,y,z"), "number 2"),
        (("x,y,z", "x/2,y,z"), "number 2: got .*an operation that keeps the lattice"),
        (("x,y,z", "x,y,y"), "number 2: got .*an operation that keeps the lattice"),
        (TWOFOLD_N[:3], "3 operations are no group: got .*x\\+1/2,-y\\+1/2,z\\+1/2"),
        (("-x,-y,-z",), "no group"),
    ],
)
def test_what_is_no_group(block, operations, words):
    with pytest.raises(StructureError, match=words):
        listed_operations(block(operations=operations))


def test_tabs_in_operations(block):
    operations, _ = listed_operations(block(operations=("x,y,z", "-x,\ty+1/2,\t-z")))
    assert operations.name == "P 1 21 1"
