"""Which coefficients a disk reads, as runs of neighbours in the table; compiled.

A disk is the set of directions around the mistilt, the same for every beam. Of its nodes, those that one operation maps
to the distinct directions lie side by side in the table: along m2 where the operation keeps the axes, along m1 where it
swaps them. So each disk is read twice, once along each axis.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.detector import node_range
from pacbed.simulation.rendering.kernels.tables import DirectionTable
from pacbed.simulation.table.wedge import Wedge

# A run of nodes in one row: its columns, those of them within the aperture (disk) and within the circle where no pixel
# of the edge reads (core), each as first and one past the last; its operation, and m1 and m2 of the first node's
# representative.
RUN = np.dtype(
    [
        (name, np.int64)
        for name in (
            *("row", "begin", "end", "disk_begin", "disk_end", "core_begin", "core_end"),
            *("operation", "first", "second"),
        )
    ]
)


def direction_table(wedge: Wedge, operations: np.ndarray, axis: int) -> DirectionTable:
    """The directions of a table as they are read along one axis.

    Parameters
    ----------
    wedge : Wedge
        Representative of each node.
    operations : ndarray of int, shape (operation, 2, 2)
        Act on the indices (m1, m2) of nodes.
    axis : int
        0: rows along m1, so that m2 moves in a row; 1: the other way round.
    """
    turn = (lambda table: np.ascontiguousarray(table.T)) if axis else np.ascontiguousarray
    operation = turn(wedge.operation)
    first, second = turn(wedge.representative[..., 0]), turn(wedge.representative[..., 1])
    step = np.ascontiguousarray(operations[:, 1, 1 - axis].astype(np.int64))
    return DirectionTable(operation, first, second, run_ends(operation), step)


def run_ends(operation: np.ndarray) -> np.ndarray:
    """End of the run of nodes along a row that have one operation, for each node; int32 of shape (row, column)."""
    side = operation.shape[1]
    last = np.ones(operation.shape, dtype=bool)
    last[:, :-1] = operation[:, 1:] != operation[:, :-1]
    ends = np.where(last, np.arange(1, side + 1), side)
    return np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1].astype(np.int32)


@njit(nogil=True, cache=True, fastmath=True)
def disk_runs(directions, tilt, pitch, core, alpha, far):
    """Runs of the directions that are not farther than `far` from the mistilt, and where three circles cut them.

    Parameters
    ----------
    directions : DirectionTable
    tilt : ndarray, shape (2,)
        Centre (x, y) of the circles [mrad].
    pitch : ndarray, shape (2, 2)
        Steps (x, y) of the nodes from row to row of the table and along a row [mrad].
    core, alpha, far : float
        Radii, ascending [mrad]; a negative one is none.

    Returns
    -------
    ndarray of `RUN`, shape (run,)
    """
    operation, first, second = directions.operation, directions.first, directions.second
    run_end, step = directions.run_end, directions.step
    middle = operation.shape[0] // 2
    runs = np.empty(2 * len(operation) * (2 + len(step)), dtype=RUN)
    used = 0
    for n1 in range(-middle, middle + 1):
        n2, high = node_range(n1, tilt[0], tilt[1], pitch, far, -middle, middle + 1)
        inside = node_range(n1, tilt[0], tilt[1], pitch, alpha, n2, high)
        inner = node_range(n1, tilt[0], tilt[1], pitch, core, n2, high)
        while n2 < high:
            taken, end = operation[n1 + middle, n2 + middle], min(high, run_end[n1 + middle, n2 + middle] - middle)
            if taken >= 0 and step[taken] != 0:
                run = runs[used]
                run.row, run.begin, run.end, run.operation = n1, n2, end, taken
                run.disk_begin, run.disk_end = min(max(inside[0], n2), end), min(max(inside[1], n2), end)
                run.core_begin, run.core_end = min(max(inner[0], n2), end), min(max(inner[1], n2), end)
                run.first, run.second = first[n1 + middle, n2 + middle], second[n1 + middle, n2 + middle]
                used += 1
            n2 = end
    return runs[:used]
