"""Sum over beams on the nodes of the detector, all components along thickness at once; compiled.

A node M of the detector receives, from each beam G whose disk holds it, the pair (M - G, G). All disks hold the same
directions M - G, and those of all smaller convergence angles, so a sum grows from one angle to the next by the same
segments of directions for every beam.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.detector import node_range
from pacbed.simulation.rendering.kernels.vectors import add_weighted, prefetch

WAITING = 256  # pairs that are fetched before the first of them is added; measured, as all numbers here
LINE = 32  # codes in a cache line of 64 bytes
# Neighbouring directions of one m1 that one operation maps to neighbours: their first m2 and one past the last, the
# operation, row and m2 of the first representative, and how these two move from one direction to the next.
SEGMENT = np.dtype([(name, np.int32) for name in ("begin", "end", "operation", "row", "m2", "row_step", "m2_step")])


@njit(nogil=True, cache=True, fastmath=True)
def widen_sum(table, scene, nodes):
    """Bring a sum from the disks that it holds to those of a larger convergence angle.

    Parameters
    ----------
    table : ComponentTable
    scene : Scene
        With the larger angle.
    nodes : NodeSum
        Its disk and components are read and brought up to date.
    """
    codes, offset, rank, scale, pairs, _directions = table
    row_start, image, beams, steps, _reach = pairs
    box, needed, disk, total = nodes
    segments, firsts = _new_segments(table.directions, scene, disk)
    flat, middle = total.reshape(-1), len(disk) // 2
    begins, targets = np.empty(WAITING, dtype=np.int64), np.empty(WAITING, dtype=np.int64)
    sources, weights = np.empty(WAITING, dtype=np.int32), np.empty(WAITING, dtype=np.float32)
    used = np.uintp(0)
    for step in range(2 * max(abs(box.first1), abs(box.stop1)) + 1):
        m1 = (step + 1) // 2 if step % 2 else -(step // 2)  # by symmetry rows m1 and -m1 may read the same codes
        if not box.first1 <= m1 < box.stop1:
            continue
        row = m1 - box.first1
        for beam in range(len(beams)):
            n1, shift = m1 - beams[beam, 0] * steps[0] + middle, beams[beam, 1] * steps[1]
            if not 0 <= n1 < len(disk):
                continue
            for at_segment in range(np.uintp(firsts[n1]), np.uintp(firsts[n1 + 1])):
                segment = segments[at_segment]
                begin, row_step, m2_step = segment.begin, segment.row_step, segment.m2_step
                low, high = max(begin, needed[row, 0] - shift), min(segment.end, needed[row, 1] - shift)
                if low >= high:
                    continue
                source = np.uintp(image[segment.operation, beam])
                origin, values, at = offset[source], rank[source], row * total.shape[1] + shift - box.first2
                for n2 in range(low, high):
                    r = np.uintp(segment.row + (n2 - begin) * row_step)
                    pair = row_start[source, r] + segment.m2 + (n2 - begin) * m2_step
                    begins[used], sources[used] = origin + pair * values, source
                    targets[used], weights[used] = (at + n2) * total.shape[2], scale[source]
                    for line in range(0, values + LINE - 1, LINE):
                        prefetch(codes, begins[used] + line)
                    used += np.uintp(1)
                    if used == WAITING:
                        _add_pairs(flat, targets, codes, begins, weights, rank, sources, used)
                        used = np.uintp(0)
    _add_pairs(flat, targets, codes, begins, weights, rank, sources, used)


@njit(nogil=True, cache=True, fastmath=True)
def _add_pairs(flat, targets, codes, begins, weights, rank, sources, used):
    """Add the pairs listed."""
    for pair in range(used):
        values = np.uintp(rank[np.uintp(sources[pair])])
        add_weighted(flat, np.uintp(targets[pair]), codes, begins, weights, (pair, pair + np.uintp(1)), values)


@njit(nogil=True, cache=True, fastmath=True)
def _new_segments(directions, scene, disk):
    """Directions that disks of a larger angle have more than `disk`, which is brought up to date.

    Returns
    -------
    ndarray of `SEGMENT`, ndarray of int32
        The segments, those of one m1 after the other; and the first one of each m1, shape (m1 + 1,).
    """
    operation, first, second, run_end = directions.operation, directions.first, directions.second, directions.run_end
    tilt, alpha, pitch = scene.light.mistilt_mrad, scene.light.convergence_mrad, scene.frame.pitch_mrad
    middle = len(disk) // 2
    segments, used = np.empty(16 * len(disk), dtype=SEGMENT), 0
    firsts = np.empty(len(disk) + 1, dtype=np.int32)
    for n1 in range(len(disk)):
        firsts[n1] = used
        begin, end = node_range(n1 - middle, tilt[0], tilt[1], pitch, alpha, -middle, middle + 1)
        before, after = np.int64(disk[n1, 0]), np.int64(disk[n1, 1])
        if before < after:  # rounding must not lose what the sum holds already
            begin, end = min(begin, before), max(end, after)
        else:
            before, after = end, end
        for side in range(2):
            n2, stop = (begin, before) if side == 0 else (after, end)
            while n2 < stop:
                at, ends = n2 + middle, min(stop, run_end[n1, n2 + middle] - middle)
                f, s = first[n1, at], second[n1, at]
                df, ds = (first[n1, at + 1] - f, second[n1, at + 1] - s) if ends - n2 > 1 else (0, 0)
                segment = segments[used]
                segment.begin, segment.end, segment.operation = n2, ends, operation[n1, at]
                segment.row, segment.m2, segment.row_step, segment.m2_step = f + middle, s, df, ds
                used, n2 = used + 1, ends
        disk[n1, 0], disk[n1, 1] = begin, end
    firsts[len(disk)] = used
    return segments, firsts
