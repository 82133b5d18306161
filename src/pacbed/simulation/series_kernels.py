"""Compiled loops for whole thickness series: as `render_kernels`, with thickness as the inner, contiguous axis."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacbed.simulation.detector_grid import (
    aperture,
    detector_box,
    field_ranges,
    node_range,
    pixel_weights,
    ring_columns,
)
from pacbed.simulation.render_kernels import SCALE


@njit(nogil=True, cache=True, fastmath=True)
def render_pattern_series(codes, first, weights, span, index, place, lines, out):
    """Patterns of several thicknesses.

    Parameters
    ----------
    codes : ndarray of int16, shape (pair, coefficient)
        The table, coefficients of one pair side by side.
    first, weights : ndarray, shapes (thickness,) and (thickness, 4)
        The coefficients that each thickness combines, counted from ``span[0]``.
    span : tuple of int
        First and one past the last coefficient that any thickness needs.
    index, place, lines
        See `render_pattern`.
    out : ndarray of float32, shape (thickness, ny, nx)
        The patterns.
    """
    tilt, inverse, angles, scale = place[0], place[2], place[3], place[8]
    box = detector_box(lines, out.shape[1:], tilt, inverse)
    total = np.zeros((box[1] - box[0], box[3] - box[2], span[1] - span[0]), dtype=np.float32)
    # Which nodes of a row each disk holds; kept, because the corrections must agree with the sum to the last node.
    held = np.zeros((total.shape[0], len(angles), 2), dtype=np.int32)
    _sum_beams(codes, span[0], index, place, box, held, total)
    pixels = pixel_weights(lines, tilt, inverse, out.shape[1:], box)
    line = np.empty((out.shape[2], total.shape[2]), dtype=np.float32)
    turned = np.empty((total.shape[2], out.shape[2]), dtype=np.float32)
    for row in range(out.shape[1]):
        _interpolate_row(total, box, pixels, place, lines, row, line)
        _correct_row(codes, span[0], index, place, lines, row, box, held, pixels, line)
        for plane in range(line.shape[1]):
            for column in range(line.shape[0]):
                turned[plane, column] = line[column, plane] * scale
        for t in range(out.shape[0]):
            at = first[t]
            w0, w1, w2, w3 = weights[t, 0], weights[t, 1], weights[t, 2], weights[t, 3]
            for column in range(out.shape[2]):
                near = w0 * turned[at, column] + w1 * turned[at + 1, column]
                out[t, row, column] = near + w2 * turned[at + 2, column] + w3 * turned[at + 3, column]


@njit(nogil=True, cache=True, fastmath=True)
def _sum_beams(codes, plane0, index, place, box, held, total):
    """Sum the coefficients of all beams whose disk holds a node, for all nodes of the detector."""
    start, operation, first, second, run, image, beams, steps = index
    tilt, pitch, inverse, angles, field, reach, alpha = place[:7]
    middle = operation.shape[0] // 2
    half1 = alpha * np.hypot(inverse[0, 0], inverse[1, 0])
    in_field = field_ranges(box, pitch, field + reach)
    for step in range(2 * max(abs(box[0]), abs(box[1])) + 1):
        m1 = (step + 1) // 2 if step % 2 else -(step // 2)  # by symmetry rows m1 and -m1 may read the same codes
        if not box[0] <= m1 < box[1]:
            continue
        row = m1 - box[0]
        for beam in range(len(beams)):
            x, y = angles[beam, 0] + tilt[0], angles[beam, 1] + tilt[1]
            if abs(m1 - x * inverse[0, 0] - y * inverse[1, 0]) > half1:
                continue
            m2, end = node_range(m1, x, y, pitch, alpha, in_field[row, 0], max(in_field[row, 0], in_field[row, 1]))
            held[row, beam, 0], held[row, beam, 1] = m2, end
            n1, shift = m1 - beams[beam, 0] * steps[0] + middle, middle - beams[beam, 1] * steps[1]
            while m2 < end:
                n2 = m2 + shift
                taken, stop = operation[n1, n2], min(end, run[n1, n2] - shift)
                if taken >= 0:
                    source, f, s = image[taken, beam], first[n1, n2] + middle, second[n1, n2]
                    df, ds = first[n1, n2 + 1] + middle - f, second[n1, n2 + 1] - s
                    if stop - m2 == 1:
                        df, ds = 0, 0
                    for j in range(stop - m2):
                        _add(total, row, m2 + j - box[2], codes, start[source, f + j * df] + s + j * ds, plane0)
                m2 = stop


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _add(total, row, column, codes, pair, plane0):
    """Add one pair's coefficients, decoded on the way, to all planes of a node's sum."""
    shift = np.uintp(plane0)
    for plane in range(np.uintp(total.shape[2])):
        code = np.float32(codes[pair, plane + shift])
        total[row, column, plane] += SCALE * code * abs(code)


@njit(nogil=True, cache=True, fastmath=True)
def _interpolate_row(total, box, pixels, place, lines, row, line):
    """Spline of the summed coefficients for one row of pixels; zero outside the field."""
    tilt, field = place[0], place[4]
    below, w = pixels
    for column in range(len(line)):
        x = lines[0, 0] + row * lines[1, 0] + column * lines[2, 0] + tilt[0]
        y = lines[0, 1] + row * lines[1, 1] + column * lines[2, 1] + tilt[1]
        line[column] = 0.0
        if x * x + y * y > field * field:
            continue
        i, j = below[row, 0, column] - 1 - box[0], below[row, 1, column] - 1 - box[2]
        for a in range(4):
            w0, w1 = w[row, a, column] * w[row, 4, column], w[row, a, column] * w[row, 5, column]
            w2, w3 = w[row, a, column] * w[row, 6, column], w[row, a, column] * w[row, 7, column]
            for plane in range(line.shape[1]):
                near = w0 * total[i + a, j, plane] + w1 * total[i + a, j + 1, plane]
                line[column, plane] += near + w2 * total[i + a, j + 2, plane] + w3 * total[i + a, j + 3, plane]


@njit(nogil=True, cache=True, fastmath=True)
def _correct_row(codes, plane0, index, place, lines, row, box, held, pixels, line):
    """Mend one row of pixels where their nodes straddle the edge of a beam's disk."""
    tilt, field, reach, alpha, edge = place[0], place[4], place[5], place[6], place[7]
    angles, dx, dy = place[3], lines[2, 0], lines[2, 1]
    pairs, factors = np.zeros(16, dtype=np.int64), np.zeros(16, dtype=np.float32)
    for beam in range(len(angles)):
        x = lines[0, 0] + row * lines[1, 0] - angles[beam, 0]
        y = lines[0, 1] + row * lines[1, 1] - angles[beam, 1]
        ring = ring_columns(x, y, dx, dy, alpha, max(0.5 * edge, reach), len(line))
        for side in range(2):
            for column in range(ring[2 * side], ring[2 * side + 1]):
                px, py = x + column * dx, y + column * dy
                kx, ky = px + angles[beam, 0] + tilt[0], py + angles[beam, 1] + tilt[1]
                if kx * kx + ky * ky <= field * field:
                    share = aperture(math.sqrt(px * px + py * py), alpha, edge)
                    used = _straddling(index, beam, share, row, column, box, held, pixels, pairs, factors)
                    for four in range(0, used, 4):
                        _mend(line, column, codes, plane0, pairs, factors, four)


@njit(nogil=True, cache=True, fastmath=True)
def _straddling(index, beam, share, row, column, box, held, pixels, pairs, factors):
    """Nodes of a pixel that count otherwise for it than in the sum: their pairs and weights, filled up to fours."""
    start, operation, first, second, _run, image, beams, steps = index
    below, w = pixels
    middle, used = operation.shape[0] // 2, 0
    for a in range(4):
        m1 = below[row, 0, column] - 1 + a
        begin, stop = held[m1 - box[0], beam, 0], held[m1 - box[0], beam, 1]
        low = below[row, 1, column] - 1
        if share == 1.0 and begin <= low and low + 4 <= stop:
            continue
        if share == 0.0 and (low + 4 <= begin or stop <= low):
            continue
        n1 = m1 - beams[beam, 0] * steps[0] + middle
        for b in range(4):
            have = np.float32(1.0) if begin <= low + b < stop else np.float32(0.0)
            n2 = low + b - beams[beam, 1] * steps[1] + middle
            if share == have or operation[n1, n2] < 0:
                continue
            source = image[operation[n1, n2], beam]
            pairs[used] = start[source, first[n1, n2] + middle] + second[n1, n2]
            factors[used] = w[row, a, column] * w[row, 4 + b, column] * (share - have) * SCALE
            used += 1
    while used % 4:
        pairs[used], factors[used] = pairs[used - 1], 0.0
        used += 1
    return used


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _mend(line, column, codes, plane0, pairs, factors, at):
    """Add four weighted pairs to all planes of a pixel."""
    p0, p1, p2, p3 = pairs[at], pairs[at + 1], pairs[at + 2], pairs[at + 3]
    w0, w1, w2, w3 = factors[at], factors[at + 1], factors[at + 2], factors[at + 3]
    shift = np.uintp(plane0)
    for plane in range(np.uintp(line.shape[1])):
        c0, c1 = np.float32(codes[p0, plane + shift]), np.float32(codes[p1, plane + shift])
        c2, c3 = np.float32(codes[p2, plane + shift]), np.float32(codes[p3, plane + shift])
        near = w0 * c0 * abs(c0) + w1 * c1 * abs(c1)
        line[column, plane] += near + w2 * c2 * abs(c2) + w3 * c3 * abs(c3)
