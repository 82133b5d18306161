"""Any crystal along any zone axis: re-basing neither loses nor doubles an atom, whatever its decimals are."""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import gcd

import gemmi
import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.identity import SAME_IMAGE_A
from pacbed.crystal.orientation import orientations

CRYSTALS, AXES, CLOSEST_A = 200, 20, 0.5
CELLS = {  # which of three lengths and three angles each lattice takes
    "triclinic": lambda a, b, c, x, y, z: (a, b, c, x, y, z),
    "monoclinic": lambda a, b, c, x, y, z: (a, b, c, 90, y, 90),
    "orthorhombic": lambda a, b, c, x, y, z: (a, b, c, 90, 90, 90),
    "tetragonal": lambda a, b, c, x, y, z: (a, a, c, 90, 90, 90),
    "hexagonal": lambda a, b, c, x, y, z: (a, a, c, 90, 90, 120),
    "rhombohedral": lambda a, b, c, x, y, z: (a, a, a, x, x, x),
    "cubic": lambda a, b, c, x, y, z: (a, a, a, 90, 90, 90),
}
CENTRINGS = {
    "P": [],
    "C": [(0.5, 0.5, 0)],
    "I": [(0.5, 0.5, 0.5)],
    "F": [(0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)],
    "R": [(1 / 3, 2 / 3, 1 / 3), (2 / 3, 1 / 3, 2 / 3)],
}
SPECIAL = np.array([0, 1 / 2, 1 / 3, 2 / 3, 1 / 4, 3 / 4, 1 / 6, 5 / 6, 1 / 8, 0.333335, 0.208155])
WHOLE = [axis for axis in product(range(-3, 4), repeat=3) if gcd(*axis) == 1]


def distances(fractional: np.ndarray, cell: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Least distance of some atoms from any other, or from an image of their own [Å], by brute force."""
    reach = [int(np.ceil(3.0 * length)) + 1 for length in np.linalg.norm(np.linalg.inv(cell), axis=0)]
    shifts = np.array(list(product(*(range(-n, n + 1) for n in reach))))
    offsets = fractional - fractional[some][:, None]
    vectors = ((offsets - np.round(offsets))[:, :, None] + shifts) @ cell
    lengths = np.linalg.norm(vectors, axis=-1)
    lengths[lengths < 1e-9] = np.inf
    return lengths.min(axis=(1, 2))


def random_crystal(rng: np.random.Generator) -> Crystal:
    """One to three sites, general or special, at least 0.5 Å apart, as a file with four to eight decimals has them."""
    system = rng.choice(list(CELLS))
    lengths, angles = np.round(rng.uniform(3, 8, 3), 4), np.round(rng.uniform(65, 110, 3), 2)
    cell = np.array(gemmi.UnitCell(*CELLS[system](*lengths, *angles)).orth.mat.tolist()).T
    centring = np.array([(0, 0, 0), *CENTRINGS[rng.choice(list(CENTRINGS))]])
    decimals = rng.integers(4, 9)
    while True:
        shape = (rng.integers(1, 4), 3)
        sites = np.where(rng.random(shape) < 0.6, rng.choice(SPECIAL, shape), rng.random(shape))
        fractional = np.round((sites[:, None] + centring).reshape(-1, 3) % 1.0, decimals)
        if distances(fractional, cell, np.arange(len(fractional))).min() > CLOSEST_A:
            break
    symbols = np.repeat(rng.choice(["Sr", "Ti", "O"], len(sites)), len(centring)).tolist()
    tensors = np.repeat(rng.choice([0.004, 0.008], len(sites)), len(centring))[:, None, None] * np.eye(3)
    return Crystal(cell, symbols, fractional @ cell, np.ones(len(symbols)), tensors, "random", "random")


@pytest.mark.parametrize("seed", range(4))
def test_atoms_volume_and_distances_are_the_same_along_every_axis(seed):
    rng = np.random.default_rng(seed)
    for number in range(CRYSTALS // 4):
        crystal = random_crystal(rng)
        content, symbols = Counter(crystal.symbols), np.array(crystal.symbols)
        published = distances(crystal.fractional, crystal.cell, np.arange(len(symbols)))
        axes = rng.choice(WHOLE, AXES, replace=False)
        for axis, oriented in zip(axes, orientations(crystal, axes), strict=True):
            share = oriented.volume_a3 / crystal.volume_a3
            found = Counter(oriented.symbols)
            case = f"crystal {number} along {axis}"
            assert {symbol: count * share for symbol, count in content.items()} == pytest.approx(found, rel=1e-9), case
            some = np.array([oriented.symbols.index(symbol) for symbol in found])
            nearest = distances(oriented.fractional, oriented.cell, some)
            for symbol, distance in zip(found, nearest, strict=True):
                assert np.abs(published[symbols == symbol] - distance).min() < 2 * SAME_IMAGE_A, case
