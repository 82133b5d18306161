"""Compiled loops for whole thickness series: as `render_kernels`, with components along thickness as the inner axis."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacbed.simulation.detector_grid import aperture, ring_columns, ring_rows
from pacbed.simulation.node_sums import LINE
from pacbed.simulation.prefetch import prefetch
from pacbed.simulation.vectors import add_codes

BAND = 4  # rows of pixels worked on at once: they read the same nodes, and what they write stays in the cache


@njit(nogil=True, cache=True, fastmath=True)
def render_pattern_series(parts, mix, used, index, place, lines, box, held, pixels, total, out):
    """Patterns of several thicknesses from the sum over beams.

    Parameters
    ----------
    parts : tuple
        Codes, offset, rank and scale of `ThicknessComponents`.
    mix : ndarray of float32, shape (thickness, component)
        Weights of the components in each pattern; rows and columns of zeros fill up multiples of four.
    used : ndarray of int, shape (thickness / 4, 2)
        First component, a multiple of four, and one past the last that four patterns need.
    index, place, lines
        See `render_pattern`.
    box, held, total
        See `widen_sum`.
    pixels : tuple of ndarray
        See `pixel_weights`.
    out : ndarray of float32, shape (thickness, ny, nx)
        The patterns.
    """
    columns = out.shape[2]
    # One value more than components: lines a power of two apart would push each other out of the cache.
    band = np.empty((BAND * columns, total.shape[2] + 1), dtype=np.float32)
    turned = np.empty((total.shape[2], columns), dtype=np.float32)
    for first in range(0, out.shape[1], BAND):
        rows = min(BAND, out.shape[1] - first)
        band[:] = 0.0
        for row in range(first, first + rows):
            _interpolate_row(total, box, pixels, place, lines, row, (row - first) * columns, columns, band)
        _correct_rows(parts, index, place, lines, first, rows, columns, box, held, pixels, band)
        for row in range(first, first + rows):
            at = (row - first) * columns
            for component in range(turned.shape[0]):
                for column in range(columns):
                    turned[component, column] = band[at + column, component]
            _mix(mix, used, turned, row, out)


@njit(nogil=True, cache=True, fastmath=True)
def _interpolate_row(total, box, pixels, place, lines, row, at, columns, band):
    """Add the spline of the summed coefficients for one row of pixels; nothing outside the field."""
    tilt, field = place[0], place[4]
    below, w = pixels
    for column in range(columns):
        x = lines[0, 0] + row * lines[1, 0] + column * lines[2, 0] + tilt[0]
        y = lines[0, 1] + row * lines[1, 1] + column * lines[2, 1] + tilt[1]
        if x * x + y * y > field * field:
            continue
        r, c, to = np.uintp(row), np.uintp(column), np.uintp(at + column)
        i, j = np.uintp(below[r, c, 0] - 1 - box[0]), np.uintp(below[r, c, 1] - 1 - box[2])
        for a in range(np.uintp(4)):
            w0, w1 = w[r, c, a] * w[r, c, 4], w[r, c, a] * w[r, c, 5]
            w2, w3 = w[r, c, a] * w[r, c, 6], w[r, c, a] * w[r, c, 7]
            for k in range(np.uintp(total.shape[2])):
                near = w0 * total[i + a, j, k] + w1 * total[i + a, j + np.uintp(1), k]
                band[to, k] += near + w2 * total[i + a, j + np.uintp(2), k] + w3 * total[i + a, j + np.uintp(3), k]


@njit(nogil=True, cache=True, fastmath=True)
def _correct_rows(parts, index, place, lines, first_row, rows, columns, box, held, pixels, band):
    """Mend a few rows of pixels where their nodes straddle the edge of a beam's disk."""
    reach, alpha, edge, angles = place[5], place[6], place[7], place[3]
    codes, _offset, rank, _scale = parts
    # What a row of one beam needs: position of a pair, its beam, the pixel that it goes to, and its weight.
    begins, weights = np.empty(16 * columns, dtype=np.int64), np.empty(16 * columns, dtype=np.float32)
    sources, targets = np.empty(16 * columns, dtype=np.int32), np.empty(16 * columns, dtype=np.int32)
    entries = begins, sources, targets, weights
    width, flat = max(0.5 * edge, reach), band.reshape(-1)
    for beam in range(np.uintp(len(angles))):
        x, y = lines[0, 0] - angles[beam, 0], lines[0, 1] - angles[beam, 1]
        begin_row, end_row = ring_rows(x, y, lines, alpha + width, first_row, first_row + rows)
        for row in range(begin_row, end_row):
            x = lines[0, 0] + row * lines[1, 0] - angles[beam, 0]
            y = lines[0, 1] + row * lines[1, 1] - angles[beam, 1]
            ring = ring_columns(x, y, lines[2, 0], lines[2, 1], alpha, width, columns)
            if ring[0] >= ring[3]:
                continue
            used = np.uintp(0)
            for side in range(2):
                where = beam, row, ring[2 * side], ring[2 * side + 1]
                used = _straddling(parts, index, place, lines, where, box, held, pixels, entries, used)
            for entry in range(used):
                at = ((row - first_row) * columns + targets[entry]) * band.shape[1]
                add_codes(flat, at, codes, begins[entry], rank[sources[entry]], weights[entry])


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _straddling(parts, index, place, lines, where, box, held, pixels, entries, used):
    """List the nodes that count otherwise for a pixel than in the sum, and fetch what will be read of them."""
    beam, row, begin_column, end_column = where
    begins, sources, targets, weights = entries
    start, operation, first, second, _run, image, beams, steps = index
    codes, offset, rank, scale = parts
    tilt, angles, field, alpha, edge = place[0], place[3], place[4], place[6], place[7]
    below, w = pixels
    middle = operation.shape[0] // 2
    shift1, shift2 = middle - beams[beam, 0] * steps[0], middle - beams[beam, 1] * steps[1]
    for column in range(begin_column, end_column):
        kx = lines[0, 0] + row * lines[1, 0] + column * lines[2, 0]
        ky = lines[0, 1] + row * lines[1, 1] + column * lines[2, 1]
        if (kx + tilt[0]) ** 2 + (ky + tilt[1]) ** 2 > field * field:
            continue
        px, py = kx - angles[beam, 0], ky - angles[beam, 1]
        share = aperture(math.sqrt(px * px + py * py), alpha, edge)
        r, c = np.uintp(row), np.uintp(column)
        low = below[r, c, 1] - 1
        for a in range(4):
            m1 = below[r, c, 0] - 1 + a
            begin, stop = held[np.uintp(m1 - box[0]), beam, 0], held[np.uintp(m1 - box[0]), beam, 1]
            if share == 1.0 and begin <= low and low + 4 <= stop:
                continue
            if share == 0.0 and (low + 4 <= begin or stop <= low):
                continue
            n1 = np.uintp(m1 + shift1)
            for b in range(4):
                have = np.float32(1.0) if begin <= low + b < stop else np.float32(0.0)
                n2 = np.uintp(low + b + shift2)
                if share == have or operation[n1, n2] < 0:
                    continue
                source = np.uintp(image[np.uintp(operation[n1, n2]), beam])
                pair = start[source, np.uintp(first[n1, n2] + middle)] + second[n1, n2]
                begins[used] = offset[source] + pair * rank[source]
                for line in range(0, rank[source] + LINE - 1, LINE):
                    prefetch(codes, begins[used] + line)
                weights[used] = w[r, c, np.uintp(a)] * w[r, c, np.uintp(4 + b)] * (share - have) * scale[source]
                sources[used], targets[used] = source, column
                used += np.uintp(1)
    return used


@njit(nogil=True, cache=True, fastmath=True)
def _mix(mix, used, turned, row, out):
    """Combine the components of one row of pixels to patterns, four by four, so that each is loaded once for four."""
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    lines = np.empty((4, out.shape[2]), dtype=np.float32)
    for t in range(0, out.shape[0], 4):
        lines[:] = 0.0
        for c in range(np.uintp(used[t // 4, 0]), np.uintp(used[t // 4, 1]), np.uintp(4)):
            for k in range(np.uintp(0), np.uintp(4), np.uintp(2)):
                u, v = np.uintp(t) + k, np.uintp(t) + k + one
                u0, u1, u2, u3 = mix[u, c], mix[u, c + one], mix[u, c + two], mix[u, c + three]
                v0, v1, v2, v3 = mix[v, c], mix[v, c + one], mix[v, c + two], mix[v, c + three]
                for x in range(np.uintp(out.shape[2])):
                    c0, c1, c2, c3 = turned[c, x], turned[c + one, x], turned[c + two, x], turned[c + three, x]
                    lines[k, x] += u0 * c0 + u1 * c1 + u2 * c2 + u3 * c3
                    lines[k + one, x] += v0 * c0 + v1 * c1 + v2 * c2 + v3 * c3
        for k in range(min(4, out.shape[0] - t)):
            out[t + k, row] = lines[k]
