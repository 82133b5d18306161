"""Which atoms are one: against brute force, across the border of the cell, and with values on the seams of rounding."""

from __future__ import annotations

import tracemalloc
from itertools import product

import gemmi
import numpy as np
import pytest

from pacbed.crystal.identity import close_pairs, images, levels, nearest_offsets, neighbours, same_position

CELLS = [
    (2.4, 2.4, 2.4, 60, 60, 60), (2.2, 3, 9, 90, 140, 90), (3, 3, 3, 90, 90, 150), (30, 2.5, 4, 90, 90, 90),
    (5, 6, 7, 80, 75, 70),
]  # fmt: skip


def _lattice(parameters) -> np.ndarray:
    return np.array(gemmi.UnitCell(*parameters).orth.mat.tolist()).T


@pytest.mark.parametrize("parameters", CELLS)
def test_pairs_are_those_of_brute_force(parameters):
    """Positions outside the cell as well, half of them close to others."""
    rng, cell = np.random.default_rng(1), _lattice(parameters)
    fractional = 3 * rng.random((12, 3)) - 1
    fractional[6:] = fractional[:6] + rng.normal(size=(6, 3)) * 0.05
    shifts = np.array(list(product(range(-5, 6), repeat=3)))
    vectors = (fractional[:, None] - fractional)[:, :, None] + shifts
    distance = np.linalg.norm(vectors @ cell, axis=-1).min(axis=-1)
    first, second = np.nonzero(np.triu(distance < 0.5, k=1))
    pairs = close_pairs(fractional, cell, 0.5)
    assert len(first) > 0
    assert list(zip(pairs.first, pairs.second, strict=True)) == list(zip(first, second, strict=True))
    np.testing.assert_allclose(pairs.distance, distance[first, second])


def test_a_thousand_atoms_need_no_table_of_all_pairs():
    """1,279 atoms have 1.6 million distances, 39 MB of vectors each time they are all held."""
    rng, cell = np.random.default_rng(0), np.eye(3) * 30
    fractional = rng.random((1279, 3))
    tracemalloc.start()
    try:
        close_pairs(fractional, cell, 0.5)
        found = images(fractional, fractional[None] + 1.0, np.zeros(1279, dtype=int), cell, 1e-3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.tolist() == [list(range(1279))]
    assert peak < 20e6


def test_no_pairs():
    pairs = close_pairs(np.array([[0.1, 0.2, 0.3]]), np.eye(3) * 4, 0.5)
    assert [len(column) for column in pairs] == [0, 0, 0]


def test_offsets_cross_the_border():
    offset = nearest_offsets(np.array([0.97, -1.02, 0.0]), np.diag([4.0, 5.0, 6.0]))
    np.testing.assert_allclose(offset, [-0.12, -0.1, 0.0])


@pytest.mark.parametrize("seam", [0.008115, 0.0049999999999, 0.3333, 1e-5, 0.0])
def test_noise_never_splits_a_value(seam):
    values = seam + 1e-9 * np.random.default_rng(0).normal(size=50)
    assert set(levels(values, 1e-6)) == {0}


def test_levels_rise_with_the_values():
    assert levels(np.array([0.5, 0.25, 0.2500001, 1.0, 0.4999999]), 1e-4).tolist() == [1, 0, 0, 2, 1]
    assert levels(np.array([]), 1e-4).tolist() == []


def test_values_are_equal_over_those_between():
    assert levels(np.array([1.0, 1.2, 1.1]), 0.11).tolist() == [0, 0, 0]


def test_images_are_found_across_the_border_and_of_one_type():
    cell = np.diag([4.0, 4.0, 4.0])
    fractional = np.array([[0.999, 0.5, 0], [0.0, 0.0, 0.5], [0.001, 0.5, 0.5]])
    shift = np.array([0.002, 0, 0.5])
    types = np.array([0, 1, 0])
    moved = np.stack([fractional, fractional + shift, fractional])
    moved[1, 1] = fractional[1]
    found = images(fractional, moved, types, cell, 0.01)
    assert found.tolist() == [[0, 1, 2], [-1, -1, -1], [0, 1, 2]]  # 2 falls 0.016 Å beside 0
    assert images(fractional, moved, types, cell, 0.02)[1].tolist() == [2, 1, 0]
    assert images(fractional, moved, np.arange(3), cell, 0.02)[1].tolist() == [-1, -1, -1]


def test_two_atoms_have_no_common_image():
    fractional = np.array([[0.0, 0, 0], [0.001, 0, 0]])
    moved = np.zeros((1, 2, 3))
    assert images(fractional, moved, np.zeros(2, dtype=int), np.eye(3) * 4, 0.01).tolist() == [[-1, -1]]


OBLIQUE = {
    "large": np.diag([11.0, 12.0, 13.0]),
    "oblique": np.array([[6.0, 0, 0], [-3.0, 5.0, 0], [1.0, 2.0, 7.0]]),
    "small": np.array([[2.0, 0, 0], [0.9, 2.1, 0], [0.5, 0.7, 2.2]]),
    "flat": np.diag([2.5, 2.6, 40.0]),
}


def _naive(some, fractional, lattice, within):
    found = []
    for first in some:
        for second in range(len(fractional)):
            for shift in product(range(-4, 5), repeat=3):
                distance = np.linalg.norm((fractional[second] - fractional[first] + shift) @ lattice)
                if 0 < distance < within:
                    found.append((first, second, round(distance, 7)))
    return sorted(found)


@pytest.mark.parametrize("name", OBLIQUE)
def test_all_neighbours_are_found_in_cells_of_any_size(name):
    rng = np.random.default_rng(7)
    lattice, fractional = OBLIQUE[name], rng.uniform(size=(6, 3))
    some = np.array([0, 4])
    pairs = neighbours(some, fractional, lattice, 3.5)
    found = sorted(zip(pairs.first, pairs.second, pairs.distance.round(7), strict=True))
    expected = _naive(some, fractional, lattice, 3.5)
    assert len(found) == len(expected) > 0
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_neighbours_of_many_atoms():
    """1,728 carbon atoms on a grid, each with six neighbours."""
    axis = np.arange(12) / 12
    fractional = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    pairs = neighbours(np.arange(0, 1728, 7), fractional, np.diag([24.0, 24.0, 24.0]), 2.1)
    assert np.bincount(pairs.first)[::7].tolist() == [6] * 247
    np.testing.assert_allclose(pairs.distance, 2.0)


def test_same_position():
    cell = np.diag([4.0, 5.0, 6.0])
    points = np.array([[0.99, 0, 0], [0.5, 0, 0], [0, 0, 0.99]])
    assert same_position(np.zeros(3), points, cell, 0.05).tolist() == [True, False, False]
