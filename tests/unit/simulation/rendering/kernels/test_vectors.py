"""Vector instructions against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from pacbed.simulation.rendering.kernels.vectors import LANES, add_weighted, edge_patch, prefetch, spline_patch


@njit
def _spline(grid, i, j, weights1, at1, weights2, at2):
    return spline_patch(grid, (np.uintp(i), np.uintp(j)), weights1, weights2, (np.uintp(at1), np.uintp(at2)))


@njit
def _edge(grid, summed, share, i, j, weights):
    at = np.uintp(1), np.uintp(2)
    return edge_patch(grid, summed, np.float32(share), (np.uintp(i), np.uintp(j)), weights, weights, at)


@njit
def _add(sums, to, codes, sources, weights, first, last, count):
    add_weighted(sums, np.uintp(to), codes, sources, weights, (np.uintp(first), np.uintp(last)), np.uintp(count))


@njit
def _fetched(array, index):
    prefetch(array, index)
    return array[0]


@pytest.fixture
def arrays():
    rng = np.random.default_rng(7)
    return rng.normal(size=(9, 12)).astype(np.float32), rng.normal(size=(5, 4)).astype(np.float32)


@pytest.mark.parametrize(("i", "j"), [(0, 0), (5, 8), (2, 3)])
def test_spline_of_sixteen_coefficients(arrays, i, j):
    grid, weights = arrays
    expected = weights[3] @ grid[i : i + 4, j : j + 4] @ weights[4]
    assert _spline(grid, i, j, weights, 3, weights, 4) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_spline_of_what_the_sum_lacks(arrays, share):
    grid, weights = arrays
    summed = (np.random.default_rng(8).random(grid.shape) < 0.5).astype(np.float32)
    missing = (grid * (share - summed))[4:8, 1:5]
    expected = weights[1] @ missing @ weights[2]
    assert _edge(grid, summed, share, 4, 1, weights) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kind", [np.int16, np.float32])
@pytest.mark.parametrize(("first", "last"), [(0, 0), (2, 3), (0, 4), (1, 10)])
@pytest.mark.parametrize("count", [LANES, 3 * LANES])
def test_weighted_runs(kind, first, last, count):
    """Four runs at a time and the rest one by one; what lies before and behind stays as it is."""
    rng = np.random.default_rng(9)
    codes = rng.integers(-30_000, 30_000, 200).astype(kind)
    sources, weights = rng.integers(0, 200 - count, 12), rng.normal(size=12).astype(np.float32)
    sums = rng.normal(size=60).astype(np.float32)
    expected = sums.astype(float)
    for run in range(first, last):
        expected[5 : 5 + count] += weights[run] * codes[sources[run] : sources[run] + count].astype(float)
    _add(sums, 5, codes, sources, weights, first, last, count)
    np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=0.1)
    np.testing.assert_array_equal(sums[:5], expected[:5].astype(np.float32))


def test_fetching_ahead_changes_nothing_even_past_the_end():
    array = np.arange(5, dtype=np.int16)
    assert [_fetched(array, index) for index in (0, 4, 10_000)] == [0, 0, 0]
