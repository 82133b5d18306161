"""Probe positions whose average is the average over the whole cell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from pacbed.crystal.electron import mrad_per_inverse_a

GOLDEN = (0.7548776662466927, 0.5698402909980532)  # 1/p and 1/p^2 with p^3 = p + 1: spreads any number of points


def smallest_raster(cell_a: np.ndarray, convergence_mrad: float, energy_ev: float) -> np.ndarray:
    """Positions that average to zero every pair of interfering beams, as few as a regular raster can have.

    Two plane waves of the probe interfere when they differ by a lattice vector G with |G| <= 2 alpha. A raster that is
    a lattice finer than the crystal's cancels all G but those of a sublattice; the shortest of these has to be longer
    than 2 alpha. Of all such rasters, oblique ones included, one with the fewest positions in the cell is taken, about
    0.87 (2 alpha)^2 over the area of the reciprocal cell. Rows along the edges of a rectangle (`positions_needed`)
    are more, for a hexagonal crystal 2.5 times as many.

    Parameters
    ----------
    cell_a : numpy.ndarray, shape (2, 2)
        In-plane lattice vectors as rows [Å].
    convergence_mrad : float
        Semi-convergence angle, outer edge of the aperture [mrad].
    energy_ev : float
        Beam energy [eV].

    Returns
    -------
    numpy.ndarray, shape (position, 2)
        x and y [Å].
    """
    cell = np.asarray(cell_a, dtype=float)
    reciprocal_mrad = mrad_per_inverse_a(energy_ev) * np.linalg.inv(cell).T
    reach = 2 * convergence_mrad * (1 + 1e-6)
    # No plane lattice is denser than the hexagonal one.
    fewest = math.sqrt(3) / 2 * reach**2 / abs(np.linalg.det(reciprocal_mrad))
    count = max(1, math.ceil(fewest - 1e-9))
    while True:
        for a, b, d in _sublattices(count):
            if _shortest(np.array([[a, 0], [b, d]]) @ reciprocal_mrad) > reach:
                first, second = (index.reshape(-1) for index in np.indices((a, d)))
                along = first / a
                fractional = np.stack([along, (second - b * along) / d], axis=1) % 1.0
                return fractional @ cell
        count += 1


def positions_needed(convergence_mrad: float, cell_lengths: Sequence[float], energy_ev: float) -> tuple[int, int]:
    """Fewest rows of positions over a rectangular cell that average to zero every pair of interfering beams.

    Two plane waves of the probe interfere when they differ by a lattice vector G with |G| <= 2 alpha; n positions per
    axis cancel every G that is not a multiple of n, so n must exceed 2 alpha / |G1|.

    Parameters
    ----------
    convergence_mrad : float
        Semi-convergence angle [mrad].
    cell_lengths : two floats
        Edges of the cell along x and y [Å].
    energy_ev : float
        Beam energy [eV].
    """
    mrad = mrad_per_inverse_a(energy_ev)
    x, y = (int(np.floor(2 * convergence_mrad * length / mrad)) + 1 for length in cell_lengths)
    return x, y


def rectangular_raster(
    cell_lengths: Sequence[float], counts: Sequence[int], *, cells: Sequence[int] = (1, 1), spread: bool = False
) -> np.ndarray:
    """Rows of probe positions that cover exactly one rectangular cell, as a microscope scans it.

    Parameters
    ----------
    cell_lengths : two floats
        Edges of the orthogonal cell along x and y [Å].
    counts : two ints
        Positions along x and y.
    cells : two ints
        Cells of the supercell; used by `spread` only.
    spread : bool
        Move each position by whole cells so that the raster covers the supercell, as `spread_over` does.

    Returns
    -------
    numpy.ndarray, shape (position, 2)
        x and y [Å].
    """
    axes = []
    for length, count, repeats in zip(cell_lengths, counts, cells, strict=True):
        steps = np.arange(count)
        whole = steps * (repeats // count) if spread else np.zeros(count)
        axes.append((steps / count + whole) * length)
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def spread_over(positions: np.ndarray, lengths_a: Sequence[float], cells: Sequence[int]) -> np.ndarray:
    """Move each position by whole cells so that all together cover the supercell; shape (position, 2) [Å].

    Nothing changes for a perfect crystal; with frozen phonons every probe then meets other atoms, and the speckle of
    one configuration averages out faster.

    Parameters
    ----------
    positions : numpy.ndarray, shape (position, 2)
        x and y [Å].
    lengths_a : two floats
        Edges of the orthogonal cell along x and y [Å].
    cells : two ints
        Cells of the supercell along x and y.
    """
    steps = np.arange(len(positions))[:, None] * np.array(GOLDEN) % 1.0
    return positions + np.floor(steps * np.asarray(cells)) * np.asarray(lengths_a)


def _sublattices(index: int) -> Iterator[tuple[int, int, int]]:
    """All sublattices of the integer pairs with an index, by their basis (a, 0), (b, d); the most square ones first."""
    divisors = [a for a in range(1, index + 1) if index % a == 0]
    for a in sorted(divisors, key=lambda a: abs(math.log(a * a / index))):
        yield from ((a, b, index // a) for b in range(a))


def _shortest(basis: np.ndarray) -> float:
    """Length of the shortest vector of a plane lattice, by Gauss' reduction of its basis (rows), shape (2, 2)."""
    short, long = sorted((tuple(row) for row in basis), key=lambda row: math.hypot(*row))
    while True:
        times = round((short[0] * long[0] + short[1] * long[1]) / (short[0] ** 2 + short[1] ** 2))
        rest = (long[0] - times * short[0], long[1] - times * short[1])
        if math.hypot(*rest) >= math.hypot(*short) * (1 - 1e-9):  # equal lengths must not be swapped for ever
            return math.hypot(*short)
        short, long = rest, short
