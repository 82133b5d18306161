"""Intensities of a block of a rocking table, coded batch by batch into memory that is taken once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from pacbed.simulation.table.codes import encode_columns
from pacbed.simulation.table.directions import DirectionGrid


class BlockCodes(NamedTuple):
    """Coded intensities of one block of directions.

    Attributes
    ----------
    pairs : int
        Pairs of a direction and a beam.
    chunks : iterable of ndarray of uint16, shape (some planes, pair)
        The planes one after the other.
    """

    pairs: int
    chunks: Iterable[np.ndarray]


def kept_pairs(grid: DirectionGrid, nodes: np.ndarray, beams: np.ndarray, field_mrad: float) -> np.ndarray:
    """Which pairs of a direction and a beam a table needs.

    Parameters
    ----------
    grid : DirectionGrid
    nodes : ndarray of int, shape (direction, 2)
        Directions in steps of the grid.
    beams : ndarray of int, shape (beam, 2)
        Indices of the reciprocal-lattice vectors.
    field_mrad : float
        Largest scattered angle [mrad].

    Returns
    -------
    ndarray of bool, shape (direction, beam)
        True where |q + G| lies in the field or within interpolation reach of it.
    """
    out = nodes[:, None, :] @ grid.pitch_mrad + beams[None] @ grid.reciprocal_mrad
    return np.linalg.norm(out, axis=-1) <= field_mrad + grid.sample_margin_mrad + 1e-6


class BlockRecord:
    """Coded intensities of the pairs of a direction and a beam that a table needs.

    Parameters
    ----------
    grid : DirectionGrid
        Directions of the table.
    batches : sequence of range
        Directions of the block, by number, as they will come.
    beams : ndarray of int, shape (beam, 2)
    field_mrad : float
        Largest scattered angle [mrad].
    planes : int
        Thickness planes below the entrance surface.
    kinds : sequence of str
        `intensity` and, of frozen phonons, `diffuse`.
    """

    def __init__(
        self,
        grid: DirectionGrid,
        batches: Sequence[range],
        beams: np.ndarray,
        *,
        field_mrad: float,
        planes: int,
        kinds: Sequence[str],
    ) -> None:
        self._kept = [kept_pairs(grid, grid.nodes[one.start : one.stop], beams, field_mrad) for one in batches]
        self._pairs = np.cumsum([0, *(kept.sum() for kept in self._kept)])
        self._directions = np.cumsum([0, *map(len, batches)])
        self._codes = {kind: np.empty((planes + 1, self._pairs[-1]), dtype=np.uint16) for kind in kinds}
        shape = (planes + 1, self._directions[-1])
        self._shares = {name: np.empty(shape, dtype=np.float32) for name in ("absorbed", "lost")}

    def take(self, number: int, rocking: dict[str, np.ndarray]) -> None:
        """Code and keep what a batch gave.

        Parameters
        ----------
        number : int
            Of the batch.
        rocking : dict of ndarray
            By name: intensities of each kind, shape (plane, direction, beam), and the fractions `absorbed` and `lost`,
            shape (plane, direction).
        """
        columns = np.flatnonzero(self._kept[number])
        for kind, codes in self._codes.items():
            batch = codes[:, self._pairs[number] : self._pairs[number + 1]]
            encode_columns(rocking[kind].reshape(len(codes), -1), columns, batch)
        for name, shares in self._shares.items():
            shares[:, self._directions[number] : self._directions[number + 1]] = rocking[name]

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of a block by name.

        Returns
        -------
        dict of ndarray
            ``intensity`` and ``diffuse``: uint16 codes, shape (plane, pair). ``beam``: uint16, shape (pair,), index of
            each pair's beam. ``count``: uint32, shape (direction,), pairs of each direction, which come in order.
            ``absorbed`` and ``lost``: float32, shape (plane, direction).
        """
        none = np.zeros(0, dtype=np.int64)
        beam = np.concatenate([none, *(np.nonzero(kept)[1] for kept in self._kept)])
        count = np.concatenate([none, *(kept.sum(axis=1) for kept in self._kept)])
        return {**self._codes, "beam": beam.astype(np.uint16), "count": count.astype(np.uint32), **self._shares}
