"""Lattice directions in three and in four indices."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pacbed.crystal.drawing.directions import direction_indices, direction_label, weber_indices
from pacbed.errors import StructureError
from pacbed.systems import shortest_indices

HEXAGONAL = np.array([[3.0, 0, 0], [-1.5, 1.5 * 3**0.5, 0], [0, 0, 5.0]])


@pytest.mark.parametrize(("vector", "indices"), [
    ((1.0, 0.0, 0.0), (1, 0, 0)), ((0.5, -0.5, 0.0), (1, -1, 0)), ((2 / 3, 1 / 3, -2 / 3), (2, 1, -2)),
    ((0.5, 0.5, -0.5), (1, 1, -1)), ((0.0, -4.0, 2.0), (0, -2, 1)),
])  # fmt: skip
def test_a_lattice_vector_has_the_shortest_whole_indices(vector, indices):
    assert direction_indices(np.array(vector)) == indices


def test_what_is_no_lattice_vector_is_refused():
    with pytest.raises(StructureError, match="a vector of the lattice"):
        direction_indices(np.array([1.0, 2**0.5, 0.0]))


@pytest.mark.parametrize(("uvw", "uvtw"), [
    ((1, 1, 0), (1, 1, -2, 0)), ((1, 0, 0), (2, -1, -1, 0)), ((2, 1, 0), (1, 0, -1, 0)), ((0, 0, 1), (0, 0, 0, 1)),
])  # fmt: skip
def test_directions_of_textbooks_in_four_indices(uvw, uvtw):
    assert weber_indices(uvw) == uvtw


def test_four_indices_are_the_direction_that_three_were():
    for uvw in product(range(-3, 4), repeat=3):
        if any(uvw):
            four = weber_indices(uvw)
            assert sum(four[:3]) == 0
            assert shortest_indices(four) == shortest_indices(uvw)


def test_labels_have_bars_and_four_indices_where_they_belong():
    assert direction_label((1, -1, 0), np.eye(3)) == r"$[1\,\bar{1}\,0]$"
    assert direction_label((1, 1, 0), HEXAGONAL) == r"$[1\,1\,\bar{2}\,0]$"
