"""Compiled inner loops for whole thickness series: as `render_kernels`, with thickness as the inner, contiguous axis."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacbed.simulation.render_kernels import SCALE, aperture, crossing, detector_box, node_range, pixel_weights


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _add(total, codes, weight):
    """Add weighted coefficients, decoded on the way, to all planes of a sum."""
    scaled = weight * SCALE
    for plane in range(len(total)):
        code = np.float32(codes[plane])
        total[plane] += scaled * code * abs(code)


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
    tilt, pitch, inverse, angles, field, reach, alpha, edge, scale = place
    low1, high1, low2, high2 = detector_box(lines, out.shape[1:], tilt, inverse)
    total = np.zeros((high1 - low1, high2 - low2, span[1] - span[0]), dtype=np.float32)
    # Which nodes of a row each disk holds; kept, because the corrections must agree with the sum to the last node.
    held = np.zeros((total.shape[0], len(angles), 2), dtype=np.int32)
    _sum_beams(codes, span, index, place, low1, low2, held, total)
    line = np.empty((out.shape[2], total.shape[2]), dtype=np.float32)
    pixels = pixel_weights(lines, tilt, inverse, out.shape[1:])
    below, w = pixels
    for row in range(out.shape[1]):
        for column in range(out.shape[2]):
            pixel = line[column]
            pixel[:] = 0.0
            x = lines[0, 0] + row * lines[1, 0] + column * lines[2, 0] + tilt[0]
            y = lines[0, 1] + row * lines[1, 1] + column * lines[2, 1] + tilt[1]
            if x * x + y * y <= field * field:
                for a in range(4):
                    for b in range(4):
                        node = total[below[row, column, 0] - 1 - low1 + a, below[row, column, 1] - 1 - low2 + b]
                        weight = w[row, column, a] * w[row, column, 4 + b]
                        for plane in range(len(pixel)):
                            pixel[plane] += weight * node[plane]
        _correct_row(codes, span, index, place, lines, row, low1, held, pixels, line)
        for column in range(out.shape[2]):
            pixel = line[column]
            for t in range(out.shape[0]):
                at, value = first[t], np.float32(0.0)
                for c in range(4):
                    value += weights[t, c] * pixel[at + c]
                out[t, row, column] = value * scale


@njit(nogil=True, cache=True, fastmath=True)
def _sum_beams(codes, span, index, place, low1, low2, held, total):
    """Sum the coefficients of all beams whose disk holds a node, for all nodes of the detector."""
    start, operation, first, second, run, image, beams, steps = index
    tilt, pitch, inverse, angles, field, reach, alpha, edge, scale = place
    wedge_reach = operation.shape[0] // 2
    half1 = alpha * np.hypot(inverse[0, 0], inverse[1, 0])
    for m1 in range(low1, low1 + total.shape[0]):
        f1, f2 = node_range(m1, 0.0, 0.0, pitch, field + reach, low2, low2 + total.shape[1])
        for beam in range(len(beams)):
            x, y = angles[beam, 0] + tilt[0], angles[beam, 1] + tilt[1]
            if abs(m1 - x * inverse[0, 0] - y * inverse[1, 0]) > half1:
                continue
            begin, end = node_range(m1, x, y, pitch, alpha, f1, f2)
            held[m1 - low1, beam, 0], held[m1 - low1, beam, 1] = begin, end
            n1 = m1 - beams[beam, 0] * steps[0] + wedge_reach
            shift = wedge_reach - beams[beam, 1] * steps[1]
            for m2 in range(begin, end):
                taken = operation[n1, m2 + shift]
                if taken >= 0:
                    n2 = m2 + shift
                    pair = start[image[taken, beam], first[n1, n2] + wedge_reach] + second[n1, n2]
                    _add(total[m1 - low1, m2 - low2], codes[pair, span[0] : span[1]], np.float32(1.0))


@njit(nogil=True, cache=True, fastmath=True)
def _correct_row(codes, span, index, place, lines, row, low1, held, pixels, line):
    """Mend one row of pixels where their nodes straddle the edge of a beam's disk."""
    start, operation, first, second, run, image, beams, steps = index
    tilt, pitch, inverse, angles, field, reach, alpha, edge, scale = place
    wedge_reach = operation.shape[0] // 2
    below, w = pixels
    outer, safe = alpha + max(0.5 * edge, reach), alpha - max(0.5 * edge, reach)
    dx, dy = lines[2, 0], lines[2, 1]
    for beam in range(len(beams)):
        x = lines[0, 0] + row * lines[1, 0] - angles[beam, 0]
        y = lines[0, 1] + row * lines[1, 1] - angles[beam, 1]
        s, e = crossing(x, y, dx, dy, outer)
        column, end = max(0, int(math.ceil(s))), min(len(line), int(math.floor(e)) + 1)
        if column >= end:
            continue
        s, e = crossing(x, y, dx, dy, safe)
        skip, resume = (int(math.ceil(s)), int(math.floor(e)) + 1) if s <= e else (end, end)
        while column < end:
            if skip <= column < resume:
                column = resume
                continue
            px, py = x + column * dx, y + column * dy
            share = aperture(math.sqrt(px * px + py * py), alpha, edge)
            kx, ky = px + angles[beam, 0] + tilt[0], py + angles[beam, 1] + tilt[1]
            if kx * kx + ky * ky <= field * field:
                for a in range(4):
                    m1 = below[row, column, 0] - 1 + a
                    n1 = m1 - beams[beam, 0] * steps[0] + wedge_reach
                    begin, stop = held[m1 - low1, beam, 0], held[m1 - low1, beam, 1]
                    for b in range(4):
                        m2 = below[row, column, 1] - 1 + b
                        have = np.float32(1.0) if begin <= m2 < stop else np.float32(0.0)
                        if share == have:
                            continue
                        weight = w[row, column, a] * w[row, column, 4 + b]
                        n2 = m2 - beams[beam, 1] * steps[1] + wedge_reach
                        taken = operation[n1, n2]
                        if taken >= 0:
                            pair = start[image[taken, beam], first[n1, n2] + wedge_reach] + second[n1, n2]
                            _add(line[column], codes[pair, span[0] : span[1]], weight * (share - have))
            column += 1
