"""Points of a lattice within a circle, and one of each orbit, against plain searches."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pacbed.crystal.lattice import cell_bins, cone_nodes, on_reciprocal_indices, representatives

BASES = [np.eye(2), np.array([[1.0, 0.0], [-0.5, 0.8660254]]), np.array([[2.0, 0.3], [-0.9, 0.4]])]
SIXFOLD = np.array([np.linalg.matrix_power(np.array([[1, -1], [1, 0]]), n) for n in range(6)])


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("radius", [0.3, 1.0, 4.7])
def test_all_points_within_the_circle_and_no_others(basis, radius):
    found = cone_nodes(basis, radius)
    reach = range(-40, 41)
    expected = [pair for pair in product(reach, reach) if np.linalg.norm(np.array(pair) @ basis) <= radius + 1e-9]
    assert [tuple(pair) for pair in found.tolist()] == expected
    assert np.issubdtype(found.dtype, np.integer)


def test_points_on_the_circle_belong_to_it():
    assert len(cone_nodes(np.eye(2), 1.0)) == 5
    assert len(cone_nodes(0.1 * np.eye(2), 0.5)) == 81  # three, four, five


def test_one_of_each_orbit_is_chosen():
    nodes = cone_nodes(BASES[1], 3.1)
    chosen, taken = representatives(nodes, SIXFOLD)
    orbits = {frozenset(tuple(image) for image in (SIXFOLD @ node).tolist()) for node in nodes}
    assert len(orbits) == len(np.unique(chosen, axis=0)) == 1 + (len(nodes) - 1) // 6
    for node, one, number in zip(nodes, chosen, taken, strict=True):
        assert tuple(one) == max(tuple(image) for image in (SIXFOLD @ node).tolist())
        np.testing.assert_array_equal(SIXFOLD[number] @ node, one)


def test_no_nodes_have_no_orbits():
    chosen, taken = representatives(np.zeros((0, 2), dtype=int), SIXFOLD)
    assert chosen.shape == (0, 2)
    assert taken.shape == (0,)


@pytest.mark.parametrize("matrix", [*SIXFOLD[1:3], np.array([[0, 1], [1, 0]]), np.array([[1, 0], [-1, -1]])])
def test_indices_turn_so_that_phases_stay(matrix):
    """exp(2 pi i h.f) is the same for the turned beam at the turned position."""
    dual = on_reciprocal_indices(matrix[None])[0]
    rng = np.random.default_rng(1)
    for _ in range(5):
        index, position = rng.integers(-5, 6, 2), rng.uniform(size=2)
        assert (dual @ index) @ (matrix @ position) == pytest.approx(index @ position)


def test_bins_of_an_even_supercell_are_shared():
    offsets, weights = cell_bins(2)
    assert offsets.shape == (9, 2)
    assert weights.tolist() == [0.25, 0.5, 0.25, 0.5, 1.0, 0.5, 0.25, 0.5, 0.25]
    offsets, weights = cell_bins(3)
    assert np.all(weights == 1)
    assert offsets.min() == -1


@pytest.mark.parametrize("cells", [1, 2, 3, 4, 5])
def test_bins_of_all_beams_fill_reciprocal_space_once(cells):
    """The shares of every point g / n, over the cells of all beams that it belongs to, add up to one."""
    share = {}
    for beam in product(range(-3, 4), repeat=2):
        for offset, weight in zip(*cell_bins(cells), strict=True):
            point = tuple(cells * np.array(beam) + offset)
            share[point] = share.get(point, 0.0) + weight
    inner = [value for point, value in share.items() if max(map(abs, point)) <= 2 * cells]
    assert len(inner) == (4 * cells + 1) ** 2
    assert inner == pytest.approx([1.0] * len(inner))
