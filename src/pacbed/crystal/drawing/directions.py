"""Names of lattice directions in pictures: the shortest indices, with bars, four of them in a hexagonal cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pacbed.crystal.cell import is_hexagonal
from pacbed.errors import StructureError
from pacbed.systems import shortest_indices

LARGEST_PART, WHOLE = 12, 1e-3  # lattices have vectors of halves, thirds and fourths of their cell, and products


def direction_indices(vector: np.ndarray) -> tuple[int, int, int]:
    """Shortest indices of the direction of a lattice vector.

    Parameters
    ----------
    vector : ndarray, shape (3,)
        In units of the published cell's vectors; fractions such as 1/2 and 1/3 where the cell is centred.

    Raises
    ------
    StructureError
        The vector is no such vector.
    """
    for parts in range(1, LARGEST_PART + 1):
        whole = np.round(parts * vector)
        if np.any(whole) and np.abs(parts * vector - whole).max() < WHOLE:
            return shortest_indices([int(index) for index in whole])
    raise StructureError(f"direction: got {vector.tolist()}, accepted: a vector of the lattice")


def weber_indices(uvw: Sequence[int]) -> tuple[int, int, int, int]:
    """Four indices [uvtw] of a direction [uvw] of a hexagonal cell, t = -(u + v); the reverse of `shortest_indices`.

    Parameters
    ----------
    uvw : sequence of three int
    """
    u, v, w = uvw
    four = np.array([2 * u - v, 2 * v - u, -(u + v), 3 * w])
    first, second, third, fourth = (int(index) for index in four // np.gcd.reduce(four))
    return first, second, third, fourth


def direction_label(uvw: Sequence[int], cell: np.ndarray) -> str:
    """Indices in brackets as Matplotlib's mathtext, negative ones with a bar above.

    Parameters
    ----------
    uvw : sequence of three int
    cell : ndarray, shape (3, 3)
        Lattice vectors of the published cell as rows [Å]; a hexagonal one takes four indices.
    """
    indices = weber_indices(uvw) if is_hexagonal(cell) else tuple(uvw)
    shown = [rf"\bar{{{-index}}}" if index < 0 else str(index) for index in indices]
    return "$[" + r"\,".join(shown) + "]$"
