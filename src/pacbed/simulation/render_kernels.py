"""Compiled inner loops of the renderer; they release the GIL.

A pattern is the sum over beams G of [|k - G| <= alpha] I(G, k - G + tau), each I a spline with its coefficients on nodes.
G lies on nodes, so the weights of a pixel's sixteen nodes are the same for every G. The coefficients of all beams whose disk
holds a node are therefore summed first and interpolated once. Only where a pixel's nodes straddle the edge of a disk does the
beam need a correction of its own: its aperture times its own spline, less what the sum holds of it.

Positions: a pixel (row, column) looks at k = origin + row * down + column * right; a node M of the detector at k = M pitch
- tau; its direction for beam G is M - G, in nodes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacbed.simulation.intensity_code import COEFFICIENT_LEVELS

SCALE = np.float32(1.0 / COEFFICIENT_LEVELS**2)


@njit(nogil=True, cache=True, fastmath=True)
def combine_planes(codes, first, weights, rows, pitch, radius):
    """Weighted sum of consecutive coefficient planes for directions up to a radius; shape (pair,), zero elsewhere."""
    out = np.zeros(codes.shape[1], dtype=np.float32)
    at = 0
    for row in range(len(rows)):
        m1, m2, count = rows[row, 1], rows[row, 2], rows[row, 3]
        low, high = crossing(m1 * pitch[0, 0], m1 * pitch[0, 1], pitch[1, 0], pitch[1, 1], radius)
        begin = at + max(0, int(math.ceil(low)) - m2)
        end = at + min(count, int(math.floor(high)) - m2 + 1)
        for plane in range(len(weights)):
            weight = weights[plane] * SCALE
            line = codes[first + plane]
            for pair in range(begin, end):
                code = np.float32(line[pair])
                out[pair] += weight * code * abs(code)
        at += count
    return out


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def crossing(px, py, dx, dy, radius):
    """Where the line p + s d runs inside a circle around the origin: first and last s; (1, 0) where it misses."""
    a, b, c = dx * dx + dy * dy, px * dx + py * dy, px * px + py * py - radius * radius
    square = b * b - a * c
    if square < 0.0 or radius < 0.0:
        return 1.0, 0.0
    root = math.sqrt(square)
    return (-b - root) / a, (-b + root) / a


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def node_range(m1, x, y, pitch, radius, low, high):
    """First and one past the last m2 of row m1 within a radius of (x, y), clipped to low ... high - 1."""
    s, e = crossing(m1 * pitch[0, 0] - x, m1 * pitch[0, 1] - y, pitch[1, 0], pitch[1, 1], radius)
    return max(low, int(math.ceil(s))), min(high, int(math.floor(e)) + 1)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def aperture(distance, alpha, edge):
    """Share of the beam that the aperture lets pass: 1 inside, a ramp across the edge, 0 outside."""
    if distance > alpha + 0.5 * edge + 1e-9:
        return np.float32(0.0)
    if distance > alpha - 0.5 * edge and edge > 0.0:
        return np.float32((alpha + 0.5 * edge - distance) / edge)
    return np.float32(1.0)


@njit(nogil=True, cache=True, fastmath=True)
def detector_box(lines, shape, tilt, inverse):
    """Nodes that the pixels of an image need: first and one past the last M1 and M2."""
    low, high = np.full(2, 1e30), np.full(2, -1e30)
    for corner in range(4):
        row, column = (corner // 2) * (shape[0] - 1), (corner % 2) * (shape[1] - 1)
        x = lines[0, 0] + row * lines[1, 0] + column * lines[2, 0] + tilt[0]
        y = lines[0, 1] + row * lines[1, 1] + column * lines[2, 1] + tilt[1]
        for axis in range(2):
            u = x * inverse[0, axis] + y * inverse[1, axis]
            low[axis], high[axis] = min(low[axis], u), max(high[axis], u)
    return int(np.floor(low[0])) - 1, int(np.floor(high[0])) + 3, int(np.floor(low[1])) - 1, int(np.floor(high[1])) + 3


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
    tilt, pitch, inverse, angles, field, reach, alpha, edge, scale = place
    low1, high1, low2, high2 = detector_box(lines, out.shape, tilt, inverse)
    total = np.zeros((high1 - low1, high2 - low2), dtype=np.float32)
    out[:] = 0.0
    outer = alpha + 0.5 * edge + reach
    half1, half2 = outer * np.hypot(inverse[0, 0], inverse[1, 0]), outer * np.hypot(inverse[0, 1], inverse[1, 1])
    pixels = pixel_weights(lines, tilt, inverse, out.shape)
    values_of_beam = np.empty((int(2 * half1) + 4, high2 - low2), dtype=np.float32)
    ranges = np.empty((len(values_of_beam), 4), dtype=np.int64)
    for beam in range(len(angles)):
        x, y = angles[beam, 0] + tilt[0], angles[beam, 1] + tilt[1]
        center1 = x * inverse[0, 0] + y * inverse[1, 0]
        center2 = x * inverse[0, 1] + y * inverse[1, 1]
        first1, last1 = max(low1, int(math.ceil(center1 - half1))), min(high1, int(math.floor(center1 + half1)) + 1)
        if first1 >= last1 or center2 + half2 < low2 or center2 - half2 > high2:
            continue
        for m1 in range(first1, last1):
            at = m1 - first1
            f1, f2 = node_range(m1, 0.0, 0.0, pitch, field + reach, low2, high2)
            a, b = node_range(m1, x, y, pitch, outer, f1, f2)
            ranges[at, 0], ranges[at, 1] = a, b
            _read(values, index, beam, m1, a, b, low2, values_of_beam, at)
            a, b = node_range(m1, x, y, pitch, alpha, f1, f2)
            ranges[at, 2], ranges[at, 3] = a, b
            for m2 in range(a - low2, b - low2):
                total[m1 - low1, m2] += values_of_beam[at, m2]
        _correct_edge(values_of_beam, ranges, last1 - first1, first1, low2, angles[beam], place, lines, pixels, out)
    _interpolate(total, low1, low2, pixels, tilt, lines, field, scale, out)


@njit(nogil=True, cache=True, fastmath=True)
def pixel_weights(lines, tilt, inverse, shape):
    """Node below each pixel (ny, nx, 2) and the weights of its four rows and four columns (ny, nx, 8)."""
    below = np.empty((shape[0], shape[1], 2), dtype=np.int32)
    weights = np.empty((shape[0], shape[1], 8), dtype=np.float32)
    for row in range(shape[0]):
        for column in range(shape[1]):
            x = lines[0, 0] + row * lines[1, 0] + column * lines[2, 0] + tilt[0]
            y = lines[0, 1] + row * lines[1, 1] + column * lines[2, 1] + tilt[1]
            for axis in range(2):
                u = x * inverse[0, axis] + y * inverse[1, axis]
                b = math.floor(u)
                f = u - b
                g = 1.0 - f
                below[row, column, axis] = int(b)
                weights[row, column, 4 * axis] = g * g * g / 6.0
                weights[row, column, 4 * axis + 1] = (3.0 * f * f * f - 6.0 * f * f + 4.0) / 6.0
                weights[row, column, 4 * axis + 2] = (3.0 * g * g * g - 6.0 * g * g + 4.0) / 6.0
                weights[row, column, 4 * axis + 3] = f * f * f / 6.0
    return below, weights


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
        if df == 0:
            base = start[source, f + reach] + s
            if ds == 1:
                for j in range(stop - m2):
                    out[at, m2 - low2 + j] = values[base + j]
            else:
                for j in range(stop - m2):
                    out[at, m2 - low2 + j] = values[base + j * ds]
        else:
            for j in range(stop - m2):
                out[at, m2 - low2 + j] = values[start[source, f + reach + j * df] + s + j * ds]
        m2 = stop


@njit(nogil=True, cache=True, fastmath=True)
def _correct_edge(values, ranges, used, first1, low2, angle, place, lines, pixels, out):
    """Add aperture times a beam's own spline, less its share in the sum, where a pixel's nodes straddle its edge."""
    tilt, pitch, inverse, angles, field, reach, alpha, edge, scale = place
    below, weights = pixels
    outer, safe = alpha + max(0.5 * edge, reach), alpha - max(0.5 * edge, reach)
    dx, dy = lines[2, 0], lines[2, 1]
    for row in range(out.shape[0]):
        x = lines[0, 0] + row * lines[1, 0] - angle[0]
        y = lines[0, 1] + row * lines[1, 1] - angle[1]
        s, e = crossing(x, y, dx, dy, outer)
        column, end = max(0, int(math.ceil(s))), min(out.shape[1], int(math.floor(e)) + 1)
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
            value = np.float32(0.0)
            for a in range(4):
                i = below[row, column, 0] - 1 - first1 + a
                if 0 <= i < used:
                    four = _straddling(values, ranges, i, low2, below[row, column, 1] - 1, weights, row, column, share)
                    value += weights[row, column, a] * four
            out[row, column] += value
            column += 1


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _straddling(values, ranges, i, low2, m2, w, row, column, share):
    """Four nodes of row i: share of the aperture times their sum, less those that the disk holds."""
    total = np.float32(0.0)
    begin, end = ranges[i, 2], ranges[i, 3]
    if m2 >= begin and m2 + 4 <= end:
        if share < 1.0:
            for b in range(4):
                total += w[row, column, 4 + b] * values[i, m2 - low2 + b]
        return total * (share - np.float32(1.0))
    if share == 0.0 and (m2 >= end or m2 + 4 <= begin):
        return total
    for b in range(max(0, ranges[i, 0] - m2), min(4, ranges[i, 1] - m2)):
        held = np.float32(1.0) if begin <= m2 + b < end else np.float32(0.0)
        total += w[row, column, 4 + b] * values[i, m2 - low2 + b] * (share - held)
    return total


@njit(nogil=True, cache=True, fastmath=True)
def _interpolate(total, low1, low2, pixels, tilt, lines, field, scale, out):
    """Add the spline of the summed coefficients, scale, and clear what lies outside the field."""
    below, w = pixels
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            x = lines[0, 0] + row * lines[1, 0] + column * lines[2, 0] + tilt[0]
            y = lines[0, 1] + row * lines[1, 1] + column * lines[2, 1] + tilt[1]
            if x * x + y * y > field * field:
                out[row, column] = 0.0
                continue
            value = out[row, column]
            for a in range(4):
                i, j = below[row, column, 0] - 1 - low1 + a, below[row, column, 1] - 1 - low2
                four = np.float32(0.0)
                for b in range(4):
                    four += w[row, column, 4 + b] * total[i, j + b]
                value += w[row, column, a] * four
            out[row, column] = value * scale
