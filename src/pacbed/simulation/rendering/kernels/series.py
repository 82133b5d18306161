"""Compiled loops for whole thickness series: as `render_kernels`, with components along thickness as the inner axis."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.detector import aperture, ring_columns, ring_rows
from pacbed.simulation.rendering.kernels.node_sums import LINE
from pacbed.simulation.rendering.kernels.prefetch import prefetch
from pacbed.simulation.rendering.kernels.rows import interpolate_row
from pacbed.simulation.rendering.kernels.vectors import LANES, add_weighted

BAND = 8  # rows of pixels worked on at once: they read the same nodes, and what they write stays in the cache


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
    pixels : tuple
        From `pixel_weights`, from `visible_pixels`, and the spans of `EqualPixels`; pixels in no span are left as
        they are.
    out : ndarray of float32, shape (thickness, ny, nx)
        The patterns.
    """
    columns, visible, spans = out.shape[2], pixels[5], pixels[6]
    room, turned = _room(len(index[1]), columns, total), np.empty((total.shape[2], columns), dtype=np.float32)
    for first in range(0, out.shape[1], BAND):
        rows = min(BAND, out.shape[1] - first)
        band = _sum_rows(parts, index, place, lines, box, held, pixels, total, first, rows, columns, room)
        for row in range(first, first + rows):
            if spans[row, 0] < spans[row, 1]:
                _turn(band, (row - first) * columns, visible[row], turned)
                _mix(mix, used, turned, visible[row], spans[row], row, out)


@njit(nogil=True, cache=True, fastmath=True)
def sum_components(parts, index, place, lines, box, held, pixels, total, out):
    """Components of each pixel, float32 of shape (ny, nx, component), from the sum over beams.

    Parameters are those of `render_pattern_series`.
    """
    columns = out.shape[1]
    room = _room(len(index[1]), columns, total)
    for first in range(0, len(out), BAND):
        rows = min(BAND, len(out) - first)
        band = _sum_rows(parts, index, place, lines, box, held, pixels, total, first, rows, columns, room)
        for row in range(rows):
            out[first + row] = band[row * columns : (row + 1) * columns, : out.shape[2]]


@njit(nogil=True, cache=True, fastmath=True)
def _room(side, columns, total):
    """Memory that the rows of pixels share: see `_sum_rows` and `_straddling`."""
    # One value more than components: lines a power of two apart would push each other out of the cache.
    band = np.empty((BAND * columns, total.shape[2] + 1), dtype=np.float32)
    line = np.empty((max(total.shape[0], total.shape[1]), total.shape[2]), dtype=np.float32)
    nodes = side, side
    found = np.zeros(nodes, dtype=np.int32), np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int32)
    return band, line, found


@njit(nogil=True, cache=True, fastmath=True)
def _sum_rows(parts, index, place, lines, box, held, pixels, total, first, rows, columns, room):
    """Components of some rows of pixels, (pixel, component or more); the next call overwrites them."""
    band, line, found = room
    band[:] = 0.0
    for row in range(first, first + rows):
        interpolate_row(total, box, pixels, row, (row - first) * columns, line, band)
    _correct_rows(parts, index, place, lines, first, rows, columns, held, pixels, found, band)
    return band


@njit(nogil=True, cache=True, fastmath=True)
def _turn(band, at, visible, turned):
    """Transpose visible pixels of one row, some of their components (a multiple of `LANES`) at a time."""
    for first in range(np.uintp(0), np.uintp(turned.shape[0]), np.uintp(LANES)):
        for column in range(np.uintp(visible[0]), np.uintp(visible[1])):
            for k in range(np.uintp(LANES)):
                turned[first + k, column] = band[np.uintp(at) + column, first + k]


@njit(nogil=True, cache=True, fastmath=True)
def _correct_rows(parts, index, place, lines, first_row, rows, columns, held, pixels, found, band):
    """Mend a few rows of pixels where their nodes straddle the edge of a beam's disk."""
    visible = pixels[5]
    reach, alpha, edge, angles = place[5], place[6], place[7], place[3]
    codes, rank = parts[0], parts[2]
    # What a row of one beam needs: position of a pair and its weight; and for pairs of one pixel and one beam of the
    # table side by side, the first of them, that beam, and the pixel.
    begins, weights = np.empty(16 * columns, dtype=np.int64), np.empty(16 * columns, dtype=np.float32)
    groups = np.empty((16 * columns + 1, 3), dtype=np.int32)
    width, flat = max(0.5 * edge, reach), band.reshape(-1)
    for beam in range(np.uintp(len(angles))):
        x, y = lines[0, 0] - angles[beam, 0], lines[0, 1] - angles[beam, 1]
        begin_row, end_row = ring_rows(x, y, lines, alpha + width, first_row, first_row + rows)
        mark = np.int32(first_row * len(angles) + beam + 1)
        for row in range(begin_row, end_row):
            x = lines[0, 0] + row * lines[1, 0] - angles[beam, 0]
            y = lines[0, 1] + row * lines[1, 1] - angles[beam, 1]
            ring = ring_columns(x, y, lines[2, 0], lines[2, 1], alpha, width, columns)
            low, high = visible[row, 0], visible[row, 1]
            if max(ring[0], low) >= min(ring[3], high):
                continue
            used, group = np.uintp(0), np.uintp(0)
            for side in range(2):
                where = beam, row, x, y, max(ring[2 * side], low), min(ring[2 * side + 1], high), mark
                used, group = _straddling(
                    parts, index, place, lines, where, held, pixels, found, (begins, weights, groups), used, group
                )
            groups[group, 0] = used
            for k in range(group):
                at = ((row - first_row) * columns + groups[k, 2]) * band.shape[1]
                first, last = np.uintp(groups[k, 0]), np.uintp(groups[k + np.uintp(1), 0])
                add_weighted(flat, np.uintp(at), codes, begins, weights, first, last, np.uintp(rank[groups[k, 1]]))


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _straddling(parts, index, place, lines, where, held, pixels, found, entries, used, group):
    """List the nodes that count otherwise for a pixel than in the sum, and fetch what will be read of them."""
    beam, row, x, y, begin_column, end_column, mark = where
    begins, weights, groups = entries
    marks, positions, of_beam = found
    start, operation, first, second, _run, image, beams, steps = index
    codes, offset, rank, scale = parts
    alpha, edge = place[6], place[7]
    below1, weights1, below2, weights2, pixel_steps, _visible, _spans = pixels
    row1, column1, row2, column2 = pixel_steps
    middle = operation.shape[0] // 2
    shift1, shift2 = middle - beams[beam, 0] * steps[0], middle - beams[beam, 1] * steps[1]
    for column in range(begin_column, end_column):
        px, py = x + column * lines[2, 0], y + column * lines[2, 1]
        share = aperture(math.sqrt(px * px + py * py), alpha, edge)
        at1, at2 = np.uintp(row * row1 + column * column1), np.uintp(row * row2 + column * column2)
        low, last = below2[at2] - 1 + shift2, np.int32(-1)
        for a in range(4):
            # Beyond the table's nodes no disk holds any, as in the outermost row.
            n1 = np.uintp(min(max(below1[at1] - 1 + a + shift1, 0), len(held) - 1))
            begin, stop = held[n1, 0] + middle, held[n1, 1] + middle
            if share == 1.0 and begin <= low and low + 4 <= stop:
                continue
            if share == 0.0 and (low + 4 <= begin or stop <= low):
                continue
            for b in range(4):
                have = np.float32(1.0) if begin <= low + b < stop else np.float32(0.0)
                if share == have:
                    continue
                n2 = np.uintp(low + b)
                if marks[n1, n2] != mark:
                    marks[n1, n2] = mark
                    of_beam[n1, n2] = -1
                    if operation[n1, n2] >= 0:
                        source = np.uintp(image[np.uintp(operation[n1, n2]), beam])
                        pair = start[source, np.uintp(first[n1, n2] + middle)] + second[n1, n2]
                        of_beam[n1, n2], positions[n1, n2] = source, offset[source] + pair * rank[source]
                        for line in range(0, rank[source] + LINE - 1, LINE):
                            prefetch(codes, positions[n1, n2] + line)
                source = of_beam[n1, n2]
                if source < 0:
                    continue
                begins[used] = positions[n1, n2]
                weights[used] = weights1[at1, np.uintp(a)] * weights2[at2, np.uintp(b)] * (share - have) * scale[source]
                if source != last:
                    groups[group, 0], groups[group, 1], groups[group, 2] = used, source, column
                    last = source
                    group += np.uintp(1)
                used += np.uintp(1)
    return used, group


@njit(nogil=True, cache=True, fastmath=True)
def _mix(mix, used, turned, visible, span, row, out):
    """Combine the components of one row of pixels to patterns, four by four, so that each is loaded once for four."""
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    low, high = np.uintp(visible[0]), np.uintp(visible[1])
    lines = np.empty((4, out.shape[2]), dtype=np.float32)
    for t in range(0, out.shape[0], 4):
        lines[:] = 0.0
        for c in range(np.uintp(used[t // 4, 0]), np.uintp(used[t // 4, 1]), np.uintp(4)):
            for k in range(np.uintp(0), np.uintp(4), np.uintp(2)):
                u, v = np.uintp(t) + k, np.uintp(t) + k + one
                u0, u1, u2, u3 = mix[u, c], mix[u, c + one], mix[u, c + two], mix[u, c + three]
                v0, v1, v2, v3 = mix[v, c], mix[v, c + one], mix[v, c + two], mix[v, c + three]
                for x in range(low, high):
                    c0, c1, c2, c3 = turned[c, x], turned[c + one, x], turned[c + two, x], turned[c + three, x]
                    lines[k, x] += u0 * c0 + u1 * c1 + u2 * c2 + u3 * c3
                    lines[k + one, x] += v0 * c0 + v1 * c1 + v2 * c2 + v3 * c3
        for k in range(min(4, out.shape[0] - t)):
            out[t + k, row, span[0] : low], out[t + k, row, high : span[1]] = 0.0, 0.0
            out[t + k, row, low:high] = lines[k, low:high]
