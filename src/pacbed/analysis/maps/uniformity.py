"""How evenly a window of scan positions averages over the cell of the crystal.

A pattern of a focused probe depends on where in the cell the probe stands: it is a Fourier series over the reciprocal
vectors G of the projected cell. The mean over N x N positions with a step s keeps of each term the share

    |sin(π N s Gx) / (N sin(π s Gx))| · |sin(π N s Gy) / (N sin(π s Gy))|

which is 0 for a window that is a whole number of periods, and 1 for a single position. How the scan lies to the crystal
is not known, so the worst of all rotations counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.simulation.table.rocking_table import RockingTable

ANGLES = np.deg2rad(np.arange(0.0, 180.0, 1.0))
MOST_POSITIONS = 256  # along the edge of a window
# ASSUME: the terms of the shortest reciprocal vectors are the strongest, so that those of the first two lengths tell
# (an estimate: finer ones are damped by the probe itself).
LENGTHS = 2


class Uniformity(NamedTuple):
    """What a window leaves of the strongest modulation of patterns over the cell.

    Attributes
    ----------
    worst, mean : float
        Over all rotations of the scan: 0 for an even average, 1 for a single position.
    window_nm, cell_nm : float
        Edge of the window, and the longest period of the cell [nm].
    enough : int
        Scan positions along the edge of the smallest window that leaves a tenth or less.
    """

    worst: float
    mean: float
    window_nm: float
    cell_nm: float
    enough: int


def uniformity(table: RockingTable, window: int, step_nm: float) -> Uniformity:
    """What a window of positions leaves.

    Parameters
    ----------
    table : RockingTable
        Knows the reciprocal vectors of the cell.
    window : int
        Scan positions along each edge.
    step_nm : float
        Distance of neighbouring positions [nm].
    """
    vectors = _vectors(table)
    left = _left(vectors, window, step_nm)
    enough = next((n for n in range(1, MOST_POSITIONS) if _left(vectors, n, step_nm).max() <= 0.1), MOST_POSITIONS)
    cell = 1 / float(np.linalg.norm(vectors, axis=1).min())
    return Uniformity(float(left.max()), float(left.mean()), window * step_nm, cell, enough)


def window_of_a_cell(table: RockingTable, step_nm: float) -> int:
    """Scan positions along the edge of the smallest window that is as long as the longest period of the cell."""
    cell = 1 / float(np.linalg.norm(_vectors(table), axis=1).min())
    return max(1, int(np.ceil(cell / step_nm - 1e-9)))


def _vectors(table: RockingTable) -> np.ndarray:
    """The shortest reciprocal vectors, shape (vector, 2) [1/nm]."""
    pairs = [(h, k) for h in range(-3, 4) for k in range(-3, 4) if (h, k) > (0, 0)]
    per_nm = mrad_per_inverse_a(table.energy_ev) / 10
    vectors = np.array(pairs) @ table.reciprocal_mrad / per_nm
    lengths = np.linalg.norm(vectors, axis=1)
    longest = np.unique(np.round(lengths, 6))[:LENGTHS].max()
    return np.asarray(vectors[lengths <= longest * (1 + 1e-6)])


def _left(vectors: np.ndarray, window: int, step_nm: float) -> np.ndarray:
    """Share of each term that is left, shape (angle, vector)."""
    turn = np.stack([np.cos(ANGLES), np.sin(ANGLES)])
    along = np.einsum("at,va->tv", turn, vectors), np.einsum("at,va->tv", turn[::-1] * [[-1], [1]], vectors)
    return np.asarray(np.prod([_comb(step_nm * one, window) for one in along], axis=0))


def _comb(phase: np.ndarray, window: int) -> np.ndarray:
    """Modulus of the mean of exp(2 pi i n phase) over a window's positions."""
    return np.abs(np.exp(2j * np.pi * phase[..., None] * np.arange(window)).mean(axis=-1))
