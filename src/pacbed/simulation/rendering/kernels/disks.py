"""Which coefficients a disk reads, as runs of neighbours in the table; compiled.

A disk is the set of directions around the tilt, the same for every beam. Of its nodes, those that one operation maps to
the distinct directions lie side by side in the table: along the second axis of nodes where the operation keeps the
axes, along the first where it swaps them. So each disk is read twice, once along each axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.detector import node_range
from pacbed.simulation.table.wedge import Wedge


def axis_tables(wedge: Wedge, operations: np.ndarray, axis: int) -> tuple[Any, ...]:
    """Look-up tables of nodes as they are read along one axis (0: the second index moves, 1: the first one).

    Returns
    -------
    tuple of ndarray
        Operation, representative's first and second index, end of the run (all over nodes, transposed for axis 1), and
        for each operation the step in the table along the axis, 0 where its nodes are no neighbours.
    """
    turn = (lambda table: np.ascontiguousarray(table.T)) if axis else np.ascontiguousarray
    operation = turn(wedge.operation)
    first, second = turn(wedge.representative[..., 0]), turn(wedge.representative[..., 1])
    step = np.ascontiguousarray(operations[:, 1, 1 - axis].astype(np.int64))
    return operation, first, second, run_ends(operation), step


def run_ends(operation: np.ndarray) -> np.ndarray:
    """End of the run of nodes along a row that have one operation, for each node; shape (row, column), int32."""
    side = operation.shape[1]
    last = np.ones(operation.shape, dtype=bool)
    last[:, :-1] = operation[:, 1:] != operation[:, :-1]
    ends = np.where(last, np.arange(1, side + 1), side)
    return np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1].astype(np.int32)


@njit(nogil=True, cache=True, fastmath=True)
def disk_runs(tables, tilt, pitch, near, alpha, far):
    """Runs of the directions that are not farther than `far` from the tilt, and where three circles cut them.

    Parameters
    ----------
    tables : tuple
        From `axis_tables`.
    tilt : ndarray, shape (2,)
        Centre of the circles [mrad].
    pitch : ndarray, shape (2, 2)
        Steps of the nodes from row to row of the tables and along a row [mrad].
    near, alpha, far : float
        Radii, ascending [mrad]; a negative one is none.

    Returns
    -------
    ndarray of int64, shape (run, 10)
        Row, first column, one past the last, first column and one past the last within `alpha`, the same within `near`,
        operation, and first and second index of the first node's representative.
    """
    operation, first, second, ends, step = tables
    middle = operation.shape[0] // 2
    runs = np.empty((2 * len(operation) * (2 + len(step)), 10), dtype=np.int64)
    used = 0
    for n1 in range(-middle, middle + 1):
        n2, high = node_range(n1, tilt[0], tilt[1], pitch, far, -middle, middle + 1)
        within = node_range(n1, tilt[0], tilt[1], pitch, alpha, n2, high)
        hole = node_range(n1, tilt[0], tilt[1], pitch, near, n2, high)
        while n2 < high:
            taken, end = operation[n1 + middle, n2 + middle], min(high, ends[n1 + middle, n2 + middle] - middle)
            if taken >= 0 and step[taken] != 0:
                run = runs[used]
                run[0], run[1], run[2] = n1, n2, end
                run[3], run[4] = min(max(within[0], n2), end), min(max(within[1], n2), end)
                run[5], run[6] = min(max(hole[0], n2), end), min(max(hole[1], n2), end)
                run[7], run[8], run[9] = taken, first[n1 + middle, n2 + middle], second[n1 + middle, n2 + middle]
                used += 1
            n2 = end
    return runs[:used]
