"""Neighbours, against the sum over many images."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pacbed.crystal.reading.distances import close_pairs

CELLS = {
    "large": np.diag([11.0, 12.0, 13.0]),
    "oblique": np.array([[6.0, 0, 0], [-3.0, 5.0, 0], [1.0, 2.0, 7.0]]),
    "small": np.array([[2.0, 0, 0], [0.9, 2.1, 0], [0.5, 0.7, 2.2]]),
    "flat": np.diag([2.5, 2.6, 40.0]),
}


def _naive(some, fractional, lattice, within):
    found = []
    for first in some:
        for second in range(len(fractional)):
            for shift in itertools.product(range(-4, 5), repeat=3):
                distance = np.linalg.norm((fractional[second] - fractional[first] + shift) @ lattice)
                if 0 < distance < within:
                    found.append((first, second, round(distance, 7)))
    return sorted(found)


@pytest.mark.parametrize("name", CELLS)
def test_all_neighbours_are_found(name):
    rng = np.random.default_rng(7)
    lattice, fractional = CELLS[name], rng.uniform(size=(6, 3))
    some = np.array([0, 4])
    pairs = close_pairs(some, fractional, lattice, 3.5)
    found = sorted(zip(pairs.first, pairs.second, pairs.distance.round(7), strict=True))
    expected = _naive(some, fractional, lattice, 3.5)
    assert len(found) == len(expected) > 0
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_many_atoms():
    """1,728 carbon atoms on a grid, each with six neighbours."""
    axis = np.arange(12) / 12
    fractional = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    pairs = close_pairs(np.arange(0, 1728, 7), fractional, np.diag([24.0, 24.0, 24.0]), 2.1)
    assert np.bincount(pairs.first)[::7].tolist() == [6] * 247
    np.testing.assert_allclose(pairs.distance, 2.0)
