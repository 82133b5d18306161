"""Sum over beams on the nodes of the detector, all components along thickness at once; compiled.

A node M of the detector receives, from each beam G whose disk holds it, the pair (M - G, G). All disks hold the same
directions M - G, and those of all smaller convergence angles, so a sum grows from one angle to the next by the same
segments of directions for every beam.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.detector import node_range
from pacbed.simulation.rendering.kernels.prefetch import prefetch
from pacbed.simulation.rendering.kernels.vectors import add_weighted

WAITING = 256  # pairs that are fetched before the first of them is added; measured, as all numbers here
LINE = 32  # codes in a cache line of 64 bytes


@njit(nogil=True, cache=True, fastmath=True)
def widen_sum(parts, index, place, box, wanted, held, total):
    """Bring a sum from the disks that it holds to those of a larger convergence angle.

    Parameters
    ----------
    parts : tuple
        Codes, offset, rank and scale of `ThicknessComponents`.
    index, place
        See `render_pattern`.
    box : tuple of int
        First and one past the last M1 and M2.
    wanted : ndarray of int, shape (row, 2)
        First and one past the last M2 to sum, for each M1 of the box.
    held : ndarray of int32, shape (direction m1, 2)
        First and one past the last m2 of the directions of a disk, for each m1 of the table's nodes; read and brought
        up to date.
    total : ndarray of float32, shape (row, column, component)
        The sum; read and brought up to date.
    """
    image, beams, steps = index[5:]
    codes, offset, rank, scale = parts
    segments, firsts = _new_segments(index, place, held)
    flat, middle = total.reshape(-1), len(held) // 2
    begins, targets = np.empty(WAITING, dtype=np.int64), np.empty(WAITING, dtype=np.int64)
    sources, weights = np.empty(WAITING, dtype=np.int32), np.empty(WAITING, dtype=np.float32)
    used = np.uintp(0)
    for step in range(2 * max(abs(box[0]), abs(box[1])) + 1):
        m1 = (step + 1) // 2 if step % 2 else -(step // 2)  # by symmetry rows m1 and -m1 may read the same codes
        if not box[0] <= m1 < box[1]:
            continue
        row = m1 - box[0]
        for beam in range(len(beams)):
            n1, shift = m1 - beams[beam, 0] * steps[0] + middle, beams[beam, 1] * steps[1]
            if not 0 <= n1 < len(held):
                continue
            if held[n1, 0] + shift >= wanted[row, 1] or held[n1, 1] + shift <= wanted[row, 0]:
                continue
            for segment in range(np.uintp(firsts[n1]), np.uintp(firsts[n1 + 1])):
                begin, end, operation = segments[segment, 0], segments[segment, 1], segments[segment, 2]
                f, s, df, ds = segments[segment, 3], segments[segment, 4], segments[segment, 5], segments[segment, 6]
                low, high = max(begin, wanted[row, 0] - shift), min(end, wanted[row, 1] - shift)
                if low >= high:
                    continue
                source = np.uintp(image[operation, beam])
                origin, values, at = offset[source], rank[source], row * total.shape[1] + shift - box[2]
                for n2 in range(low, high):
                    pair = index[0][source, np.uintp(f + (n2 - begin) * df)] + s + (n2 - begin) * ds
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
        add_weighted(flat, np.uintp(targets[pair]), codes, begins, weights, pair, pair + np.uintp(1), values)


@njit(nogil=True, cache=True, fastmath=True)
def _new_segments(index, place, held):
    """Directions that disks of a larger angle have more than those held, in segments; brings `held` up to date.

    Returns
    -------
    tuple of ndarray
        For each segment its first m2 and one past the last, operation, index (from the first row of the table's nodes)
        and second index of the first representative, and how these two move from one direction to the next; and the
        first segment of each m1.
    """
    _start, operation, first, second, run = index[:5]
    tilt, pitch, alpha = place[0], place[1], place[6]
    middle = len(held) // 2
    segments, used = np.empty((16 * len(held), 7), dtype=np.int32), 0
    firsts = np.empty(len(held) + 1, dtype=np.int32)
    for n1 in range(len(held)):
        firsts[n1] = used
        begin, end = node_range(n1 - middle, tilt[0], tilt[1], pitch, alpha, -middle, middle + 1)
        before, after = np.int64(held[n1, 0]), np.int64(held[n1, 1])
        if before < after:  # rounding must not lose what the sum holds already
            begin, end = min(begin, before), max(end, after)
        else:
            before, after = end, end
        for side in range(2):
            n2, stop = (begin, before) if side == 0 else (after, end)
            while n2 < stop:
                ends = min(stop, run[n1, n2 + middle] - middle)
                at = n2 + middle
                f, s = first[n1, at], second[n1, at]
                df, ds = (first[n1, at + 1] - f, second[n1, at + 1] - s) if ends - n2 > 1 else (0, 0)
                segment = segments[used]
                segment[0], segment[1], segment[2] = n2, ends, operation[n1, at]
                segment[3], segment[4], segment[5], segment[6] = f + middle, s, df, ds
                used, n2 = used + 1, ends
        held[n1, 0], held[n1, 1] = begin, end
    firsts[len(held)] = used
    return segments, firsts
