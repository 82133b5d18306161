"""Compiled inner loops of the renderer; they release the GIL.

A pattern is the sum over beams G of [|k - G| <= alpha] I(G, k - G + tau), each I a spline with its coefficients on
nodes. G lies on nodes, so the weights of a pixel's sixteen nodes are the same for every G. The coefficients of all
beams whose disk holds a node are therefore summed first and interpolated once. Only where a pixel's nodes straddle the
edge of a disk does the beam need a correction of its own: its aperture times its own spline, less what the sum holds
of it.

The direction of a node M of the detector for beam G is M - G, in nodes (positions: `detector_grid`).

Indices of inner loops are unsigned: with signed ones Numba tests each for being negative, and loops are not vectorised.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacbed.simulation.detector_grid import (
    aperture,
    clipped,
    detector_box,
    field_ranges,
    node_range,
    pixel_weights,
    ring_columns,
)
from pacbed.simulation.intensity_code import COEFFICIENT_LEVELS

SCALE = np.float32(1.0 / COEFFICIENT_LEVELS**2)


@njit(nogil=True, cache=True, fastmath=True)
def combine_planes(codes, first, weights, rows, pitch, radius):
    """Weighted sum of four consecutive coefficient planes, shape (pair,); set only for directions up to a radius."""
    out = np.empty(codes.shape[1], dtype=np.float32)
    w0, w1, w2, w3 = weights[0] * SCALE, weights[1] * SCALE, weights[2] * SCALE, weights[3] * SCALE
    plane0, plane1, plane2, plane3 = codes[first], codes[first + 1], codes[first + 2], codes[first + 3]
    at = 0
    for row in range(len(rows)):
        m1, m2, count = rows[row, 1], rows[row, 2], rows[row, 3]
        begin, end = node_range(m1, 0.0, 0.0, pitch, radius, m2, m2 + count)
        for pair in range(np.uintp(at + begin - m2), np.uintp(at + end - m2)):
            c0, c1 = np.float32(plane0[pair]), np.float32(plane1[pair])
            c2, c3 = np.float32(plane2[pair]), np.float32(plane3[pair])
            out[pair] = w0 * c0 * abs(c0) + w1 * c1 * abs(c1) + w2 * c2 * abs(c2) + w3 * c3 * abs(c3)
        at += count
    return out


@njit(nogil=True, cache=True, fastmath=True)
def render_pattern(values, index, place, lines, out):
    """One pattern from the coefficients of one thickness.

    Parameters
    ----------
    values : ndarray of float32, shape (pair,)
        From `combine_planes`.
    index : tuple
        Look-up tables, see `Renderer`.
    place : tuple
        Tilt, pitch and its inverse, beams' angles, field, reach of a stencil, alpha, edge, scale.
    lines : ndarray, shape (3, 2)
        Angle of the first pixel, and its step from row to row and from column to column [mrad].
    out : ndarray of float32, shape (ny, nx)
        The pattern.
    """
    tilt, pitch, inverse, angles, field, reach, alpha, edge = place[:8]
    box = detector_box(lines, out.shape, tilt, inverse)
    total = np.zeros((box[1] - box[0], box[3] - box[2]), dtype=np.float32)
    out[:] = 0.0
    pixels = pixel_weights(lines, tilt, inverse, out.shape, box)
    in_field = field_ranges(box, pitch, field + reach)
    # How far from a beam nodes lie that its corrections touch, and those whose coefficients they need.
    touched, wanted = alpha + max(0.5 * edge, reach) + reach, alpha + 0.5 * edge + reach
    half1 = touched * np.hypot(inverse[0, 0], inverse[1, 0])
    half2 = touched * np.hypot(inverse[0, 1], inverse[1, 1])
    whole = np.empty((min(len(total), int(2 * half1) + 3), min(total.shape[1], int(2 * half2) + 3)), dtype=np.float32)
    inside = np.empty_like(whole)
    for beam in range(len(angles)):
        x, y = angles[beam, 0] + tilt[0], angles[beam, 1] + tilt[1]
        first1, last1 = clipped(x * inverse[0, 0] + y * inverse[1, 0], half1, box[0], box[1])
        first2, last2 = clipped(x * inverse[0, 1] + y * inverse[1, 1], half2, box[2], box[3])
        if first1 >= last1 or first2 >= last2:
            continue
        disk = first1, last1, first2, last2
        _read_disk(values, index, beam, x, y, disk, wanted, box, in_field, pitch, alpha, whole, inside, total)
        _correct_edge(whole, inside, first1, first2, angles[beam], place, lines, pixels, out)
    _interpolate(total, box, pixels, place, lines, out)


@njit(nogil=True, cache=True, fastmath=True)
def _read_disk(values, index, beam, x, y, disk, wanted, box, in_field, pitch, alpha, whole, inside, total):
    """Coefficients of one beam on and around its disk (`whole`), and those on it (`inside`), which the sum receives."""
    first1, last1, first2, last2 = disk
    for m1 in range(first1, last1):
        at, row = m1 - first1, m1 - box[0]
        low = min(max(first2, in_field[row, 0]), last2)
        high = max(low, min(last2, in_field[row, 1]))
        begin, end = node_range(m1, x, y, pitch, wanted, low, high)
        _clear_around(whole, at, begin - first2, end - first2, last2 - first2)
        _read(values, index, beam, m1, begin, end, first2, whole, at)
        begin, end = node_range(m1, x, y, pitch, alpha, low, high)
        _clear_around(inside, at, begin - first2, end - first2, last2 - first2)
        shift = np.uintp(first2 - box[2])
        for j in range(np.uintp(begin - first2), np.uintp(end - first2)):
            inside[at, j] = whole[at, j]
            total[row, j + shift] += whole[at, j]


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _clear_around(grid, row, begin, end, length):
    """Zero the first `length` nodes of a row but those from begin to end - 1."""
    for j in range(np.uintp(begin)):
        grid[row, j] = 0.0
    for j in range(np.uintp(end), np.uintp(length)):
        grid[row, j] = 0.0


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _read(values, index, beam, m1, begin, end, low2, out, at):
    """Coefficients of one beam for detector nodes (m1, begin ... end - 1), into out[at, m2 - low2]."""
    start, operation, first, second, run, image, beams, steps = index
    reach = operation.shape[0] // 2
    n1, shift = m1 - beams[beam, 0] * steps[0] + reach, reach - beams[beam, 1] * steps[1]
    m2 = begin
    while m2 < end:
        n2 = m2 + shift
        taken, stop = operation[n1, n2], min(end, run[n1, n2] - shift)
        if taken < 0:
            out[at, m2 - low2 : stop - low2] = 0.0
            m2 = stop
            continue
        source, f, s = image[taken, beam], first[n1, n2], second[n1, n2]
        df, ds = (first[n1, n2 + 1] - f, second[n1, n2 + 1] - s) if stop - m2 > 1 else (0, 1)
        # Operations permute the axes and their signs: along a run one of f and s moves by 1 or -1, the other stays.
        base, to = np.uintp(start[source, f + reach] + s), np.uintp(m2 - low2)
        if df == 0 and ds == 1:
            for j in range(np.uintp(stop - m2)):
                out[at, to + j] = values[base + j]
        elif df == 0:
            for j in range(np.uintp(stop - m2)):
                out[at, to + j] = values[base - j]
        else:
            for j in range(stop - m2):
                out[at, to + np.uintp(j)] = values[np.uintp(start[source, f + reach + j * df] + s)]
        m2 = stop


@njit(nogil=True, cache=True, fastmath=True)
def _correct_edge(whole, inside, first1, low2, angle, place, lines, pixels, out):
    """Add aperture times a beam's own spline, less its share in the sum, where a pixel's nodes straddle its edge."""
    reach, alpha, edge = place[5], place[6], place[7]
    below, weights = pixels
    dx, dy = lines[2, 0], lines[2, 1]
    for row in range(out.shape[0]):
        x = lines[0, 0] + row * lines[1, 0] - angle[0]
        y = lines[0, 1] + row * lines[1, 1] - angle[1]
        ring = ring_columns(x, y, dx, dy, alpha, max(0.5 * edge, reach), out.shape[1])
        for side in range(2):
            for column in range(ring[2 * side], ring[2 * side + 1]):
                px, py = x + column * dx, y + column * dy
                share = aperture(math.sqrt(px * px + py * py), alpha, edge)
                i, j = np.uintp(below[row, 0, column] - 1 - first1), np.uintp(below[row, 1, column] - 1 - low2)
                value = -_patch(inside, i, j, weights, row, column)
                if share > 0.0:
                    value += share * _patch(whole, i, j, weights, row, column)
                out[row, column] += value


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _patch(grid, i, j, w, row, column):
    """Spline of the sixteen coefficients from grid[i, j] on."""
    value = np.float32(0.0)
    for a in range(np.uintp(4)):
        four = np.float32(0.0)
        for b in range(np.uintp(4)):
            four += w[row, b + np.uintp(4), column] * grid[i + a, j + b]
        value += w[row, a, column] * four
    return value


@njit(nogil=True, cache=True, fastmath=True)
def _interpolate(total, box, pixels, place, lines, out):
    """Add the spline of the summed coefficients, scale, and clear what lies outside the field."""
    tilt, field, scale = place[0], place[4], place[8]
    below, weights = pixels
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            x = lines[0, 0] + row * lines[1, 0] + column * lines[2, 0] + tilt[0]
            y = lines[0, 1] + row * lines[1, 1] + column * lines[2, 1] + tilt[1]
            if x * x + y * y > field * field:
                out[row, column] = 0.0
            else:
                i, j = np.uintp(below[row, 0, column] - 1 - box[0]), np.uintp(below[row, 1, column] - 1 - box[2])
                out[row, column] = scale * (out[row, column] + _patch(total, i, j, weights, row, column))
