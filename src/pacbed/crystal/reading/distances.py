"""Distances between the atoms of a cell and all their images, without a table of all pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

ROWS = 256  # atoms at a time: 256 x 1,279 distances take 8 MB


class Pairs(NamedTuple):
    """Pairs of atoms that are close to each other, an atom and its own images among them.

    Attributes
    ----------
    first, second : ndarray of int, shape (pair,)
        Numbers of the atoms.
    distance : ndarray, shape (pair,)
        [Å].
    """

    first: np.ndarray
    second: np.ndarray
    distance: np.ndarray


def close_pairs(some: np.ndarray, fractional: np.ndarray, lattice: np.ndarray, within_a: float) -> Pairs:
    """Find the neighbours of some atoms.

    Parameters
    ----------
    some : ndarray of int, shape (row,)
        Numbers of the atoms whose neighbours are wanted.
    fractional : ndarray, shape (atom, 3)
        Positions of all atoms of the cell.
    lattice : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    within_a : float
        Largest distance [Å].
    """
    heights = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)  # between the lattice planes that bound the cell
    reach = [0 if height > 2 * within_a else int(np.ceil(within_a / height + 0.5)) for height in heights]
    steps = [np.arange(-count, count + 1) for count in reach]
    shifts = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    found = []
    for start in range(0, len(some), ROWS):
        rows = some[start : start + ROWS]
        difference = fractional[None, :] - fractional[rows][:, None]
        difference -= np.round(difference)
        for shift in shifts:
            distance = np.linalg.norm((difference + shift) @ lattice, axis=-1)
            row, other = np.nonzero(distance < within_a)
            proper = (rows[row] != other) | np.any(shift)
            found.append(np.array([rows[row], other, distance[row, other]])[:, proper])
    table = np.concatenate(found, axis=1)
    return Pairs(table[0].astype(int), table[1].astype(int), table[2])
