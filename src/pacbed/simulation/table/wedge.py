"""Where a direction and a beam of the whole cone are found among those that symmetry leaves distinct."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.crystal.lattice import cone_nodes, representatives


@dataclass(frozen=True)
class Wedge:
    """Look-up tables: I(G, m) = I(W G, W m), W m being the representative of node m.

    Attributes
    ----------
    reach : int
        Largest node index; tables over nodes are read at [m1 + reach, m2 + reach].
    operation : numpy.ndarray of int8, shape (2 reach + 1, 2 reach + 1)
        Index of W, -1 outside the cone.
    representative : numpy.ndarray of int16, shape (2 reach + 1, 2 reach + 1, 2)
        W m.
    beam_image : numpy.ndarray of int32, shape (operation, beam)
        Index of W G.
    """

    reach: int
    operation: np.ndarray
    representative: np.ndarray
    beam_image: np.ndarray

    @classmethod
    def of(cls, pitch_mrad: np.ndarray, cone_mrad: float, operations: np.ndarray, beams: np.ndarray) -> Wedge:
        """Look-up tables of a whole cone of directions.

        Parameters
        ----------
        pitch_mrad : ndarray, shape (2, 2)
            Rows: the two node steps [mrad].
        cone_mrad : float
            Largest angle of a node [mrad].
        operations : ndarray of int, shape (operation, 2, 2)
            A group acting on node and beam indices.
        beams : ndarray of int, shape (beam, 2)
            Indices of the reciprocal-lattice vectors; an image that is not among them is -1.
        """
        every = cone_nodes(pitch_mrad, cone_mrad)
        images, taken = representatives(every, operations)
        reach = int(np.abs(every).max())
        side = 2 * reach + 1
        operation = np.full((side, side), -1, dtype=np.int8)
        operation[every[:, 0] + reach, every[:, 1] + reach] = taken
        representative = np.zeros((side, side, 2), dtype=np.int16)
        representative[every[:, 0] + reach, every[:, 1] + reach] = images
        span = int(np.abs(beams).max())
        slot = np.full((2 * span + 1, 2 * span + 1), -1, dtype=np.int32)
        slot[beams[:, 0] + span, beams[:, 1] + span] = np.arange(len(beams))
        turned = np.einsum("oij,bj->obi", operations, beams) + span
        inside = np.all((turned >= 0) & (turned <= 2 * span), axis=-1)
        image = np.where(inside, slot[tuple(np.moveaxis(np.clip(turned, 0, 2 * span), -1, 0))], -1)
        return cls(reach, operation, representative, image.astype(np.int32))


def axes_kept(operations: np.ndarray) -> np.ndarray:
    """Operations that map the two axes of the nodes onto themselves or each other.

    A spline along two axes at 60 degrees has not the symmetry of a hexagonal lattice: only these operations carry its
    coefficients into each other. All operations do so with the samples.

    Parameters
    ----------
    operations : ndarray of int, shape (operation, 2, 2)
        A group acting on node indices.

    Returns
    -------
    ndarray of int, shape (kept, 2, 2)
    """
    return operations[np.all(np.sum(np.abs(operations), axis=2) == 1, axis=1)]


def row_starts(rows: np.ndarray, beams: int, reach: int) -> np.ndarray:
    """Where the coefficients of each beam and row of nodes begin.

    Parameters
    ----------
    rows : ndarray of int, shape (row, 4)
        Runs of coefficients as in `RockingTable.rows`: beam, m1, first m2, length.
    beams : int
        Number of beams.
    reach : int
        Largest |m1|.

    Returns
    -------
    ndarray of int32, shape (beam, 2 reach + 1)
        At [beam, m1 + reach]: column of the coefficient of (m1, m2), less m2.
    """
    start = np.zeros((beams, 2 * reach + 1), dtype=np.int32)
    first = np.cumsum(rows[:, 3]) - rows[:, 3]
    start[rows[:, 0], rows[:, 1] + reach] = first - rows[:, 2]
    return start
