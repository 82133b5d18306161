"""Sum over beams on the nodes of the detector, all components along thickness at once; compiled.

A node M of the detector receives, from each beam G whose disk holds it, the pair (M - G, G). A disk contains those of
all smaller convergence angles, so a sum grows from one angle to the next by what lies between.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pacbed.simulation.detector_grid import field_ranges, node_range
from pacbed.simulation.prefetch import prefetch
from pacbed.simulation.vectors import add_codes

AHEAD = 4  # nodes; measured, as all numbers here
LINE = 32  # codes in a cache line of 64 bytes


@njit(nogil=True, cache=True, fastmath=True)
def widen_sum(parts, index, place, box, held, total):
    """Bring a sum from the disks that it holds to those of a larger convergence angle.

    Parameters
    ----------
    parts : tuple
        Codes, offset, rank and scale of `ThicknessComponents`.
    index, place
        See `render_pattern`.
    box : tuple of int
        First and one past the last M1 and M2.
    held : ndarray of int32, shape (row, beam, 2)
        First and one past the last M2 of each disk in each row of nodes; read and brought up to date.
    total : ndarray of float32, shape (row, column, component)
        The sum; read and brought up to date.
    """
    tilt, pitch, inverse, angles, field, reach, alpha = place[:7]
    in_field = field_ranges(box, pitch, field + reach)
    flat = total.reshape(-1)
    half1 = alpha * np.hypot(inverse[0, 0], inverse[1, 0])
    for step in range(2 * max(abs(box[0]), abs(box[1])) + 1):
        m1 = (step + 1) // 2 if step % 2 else -(step // 2)  # by symmetry rows m1 and -m1 may read the same codes
        if not box[0] <= m1 < box[1]:
            continue
        row = m1 - box[0]
        zero = (row * total.shape[1] - box[2]) * total.shape[2]
        low, high = in_field[row, 0], max(in_field[row, 0], in_field[row, 1])
        for beam in range(len(angles)):
            x, y = angles[beam, 0] + tilt[0], angles[beam, 1] + tilt[1]
            if abs(m1 - x * inverse[0, 0] - y * inverse[1, 0]) > half1:
                continue
            begin, end = node_range(m1, x, y, pitch, alpha, low, high)
            before, after = held[row, beam, 0], held[row, beam, 1]
            if before < after:  # rounding must not lose what the sum holds already
                begin, end = min(begin, before), max(end, after)
            else:
                before, after = end, end
            _add_run(parts, index, beam, m1, begin, before, zero, total.shape[2], flat)
            _add_run(parts, index, beam, m1, after, end, zero, total.shape[2], flat)
            held[row, beam, 0], held[row, beam, 1] = begin, end


@njit(nogil=True, cache=True, fastmath=True)
def _add_run(parts, index, beam, m1, begin, end, zero, width, flat):
    """Add one beam to nodes (m1, begin ... end - 1); node m2 of the row lies at flat[zero + m2 width]."""
    start, operation, first, second, run, image, beams, steps = index
    codes, offset, rank, scale = parts
    middle = operation.shape[0] // 2
    n1, shift = m1 - beams[beam, 0] * steps[0] + middle, middle - beams[beam, 1] * steps[1]
    m2 = begin
    while m2 < end:
        n2 = m2 + shift
        length = min(end, run[n1, n2] - shift) - m2
        source, f, s = np.uintp(image[operation[n1, n2], beam]), first[n1, n2] + middle, second[n1, n2]
        # Along a run of one operation the representatives move in equal steps.
        df, ds = (first[n1, n2 + 1] + middle - f, second[n1, n2 + 1] - s) if length > 1 else (0, 0)
        origin, values, factor = offset[source], rank[source], scale[source]
        for j in range(length):
            if j + AHEAD < length:
                pair = start[source, np.uintp(f + (j + AHEAD) * df)] + s + (j + AHEAD) * ds
                for line in range(0, values + LINE - 1, LINE):
                    prefetch(codes, origin + pair * values + line)
            pair = start[source, np.uintp(f + j * df)] + s + j * ds
            add_codes(flat, zero + (m2 + j) * width, codes, origin + pair * values, values, factor)
        m2 += length
