"""Compiled loops for series of several convergence angles: what each pixel gains from one angle to the next.

A larger disk adds to a pixel the beams that come within reach of it and leaves the others as they are. So each pair of
a pixel and a beam is interpolated once, at the angle that admits it, and not at every angle that has it near its edge.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.detector import aperture, ring_columns, ring_rows
from pacbed.simulation.rendering.kernels.mixing import mix_row
from pacbed.simulation.rendering.kernels.node_sums import LINE
from pacbed.simulation.rendering.kernels.prefetch import prefetch
from pacbed.simulation.rendering.kernels.vectors import add_weighted

ROUNDING = 1e-6  # mrad; a pixel on the edge of a disk belongs to it, see `aperture`
ROWS = 4  # rows of pixels worked on at once; what all angles add to them should stay in the cache


@njit(nogil=True, cache=True, fastmath=True)
def grow_pattern_series(parts, index, place, lines, alphas, pixels, mixes, blocks, kept, out):
    """Patterns of several thicknesses and convergence angles, from those of the smallest of these angles.

    Parameters
    ----------
    parts, lines
        See `render_pattern_series`.
    index, place, pixels : tuple
        See `render_pattern_series`, of nodes whose second index alone moves along a row of pixels.
    alphas : ndarray, shape (angle + 1,)
        Convergence angles, the one that `kept` holds first, ascending [mrad].
    mixes : ndarray of float32, shape (angle, component, thickness)
        For each further angle, see `mix_row`.
    blocks : ndarray
        See `mix_row`.
    kept : ndarray of float32, shape (ny, nx, component)
        Components of each pixel at the first angle; brought to the last one.
    out : ndarray of float32 or uint16, shape (angle, ny, nx, thickness)
        The patterns; pixels in no span are left as they are.
    """
    columns, visible, spans = out.shape[2], pixels[5], pixels[6]
    angles, edge = place[3], place[7]
    growth = np.zeros((len(out), ROWS, columns, kept.shape[2]), dtype=np.float32)
    ranks, room = _ranks(parts[2], index[5]), _room(columns, pixels, kept.shape[2])
    near, far = alphas[0] - 0.5 * edge - ROUNDING, alphas[len(out)] + 0.5 * edge + ROUNDING
    middle, width = 0.5 * (near + far), 0.5 * (far - near)
    for first in range(0, out.shape[1], ROWS):
        rows = min(ROWS, out.shape[1] - first)
        for beam in range(len(angles)):
            x, y = lines[0, 0] - angles[beam, 0], lines[0, 1] - angles[beam, 1]
            begin_row, end_row = ring_rows(x, y, lines, far, first, first + rows)
            for row in range(begin_row, end_row):
                x = lines[0, 0] + row * lines[1, 0] - angles[beam, 0]
                y = lines[0, 1] + row * lines[1, 1] - angles[beam, 1]
                ring = ring_columns(x, y, lines[2, 0], lines[2, 1], middle, width, columns)
                for side in range(2):
                    low, high = max(ring[2 * side], visible[row, 0]), min(ring[2 * side + 1], visible[row, 1])
                    if low < high:
                        where = beam, row, x, y, low, high, ranks[beam], row - first
                        _grow(parts, index, lines, where, alphas, edge, pixels, room, growth)
        for step in range(len(out)):
            for row in range(first, first + rows):
                _add_and_clear(kept[row].reshape(-1), growth[step, row - first].reshape(-1))
                mix_row(kept[row], mixes[step], blocks, visible[row], spans[row], out[step, row])


@njit(nogil=True, cache=True, fastmath=True)
def _add_and_clear(kept, growth):
    """Add one row of pixels to another, and leave zeros."""
    for k in range(np.uintp(len(kept))):
        kept[k] += growth[k]
        growth[k] = np.float32(0.0)


@njit(nogil=True, cache=True)
def _ranks(rank, image):
    """Components that a beam and its images need, for each beam."""
    ranks = np.zeros(image.shape[1], dtype=np.int64)
    for beam in range(image.shape[1]):
        for operation in range(image.shape[0]):
            if image[operation, beam] >= 0:
                ranks[beam] = max(ranks[beam], rank[image[operation, beam]])
    return ranks


@njit(nogil=True, cache=True)
def _room(columns, pixels, components):
    """Memory for the nodes that a row of pixels reads: place and weight of four codes each, their beam, the sums."""
    below = pixels[2]
    nodes = below.max() - below.min() + 4
    begins, weights = np.empty(4 * nodes, dtype=np.int64), np.empty(4 * nodes, dtype=np.float32)
    return begins, weights, np.empty(4 * nodes, dtype=np.int32), np.empty(nodes * components, dtype=np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def _grow(parts, index, lines, where, alphas, edge, pixels, room, growth):
    """Add one beam to a run of pixels in a row, shared out among the angles."""
    beam, row, x, y, begin_column, end_column, width, at_row = where
    _below1, _weights1, below2, weights2, (_row1, _column1, row2, column2), _visible, _spans = pixels
    left, right = below2[row * row2 + begin_column * column2], below2[row * row2 + (end_column - 1) * column2]
    low, high = min(left, right) - 1, max(left, right) + 3
    _sum_across(parts, index, beam, (row, low, high, width), pixels, room)
    line, flat, steps = room[3], growth.reshape(-1), growth.shape[0]
    begins, weights = np.empty(4, dtype=np.int64), np.empty(4, dtype=np.float32)
    for column in range(begin_column, end_column):
        px, py = x + column * lines[2, 0], y + column * lines[2, 1]
        distance, at2 = math.sqrt(px * px + py * py), np.uintp(row * row2 + column * column2)
        for b in range(np.uintp(4)):
            begins[b] = (below2[at2] - 1 + np.int64(b) - low) * width
        before = aperture(distance, alphas[0], edge)
        for step in range(steps):
            if before == 1.0:
                break
            share = aperture(distance, alphas[step + 1], edge)
            if share > before:
                for b in range(np.uintp(4)):
                    weights[b] = weights2[at2, b] * (share - before)
                at = ((step * growth.shape[1] + at_row) * growth.shape[2] + column) * growth.shape[3]
                add_weighted(flat, np.uintp(at), line, begins, weights, np.uintp(0), np.uintp(4), np.uintp(width))
                before = share


@njit(nogil=True, cache=True, fastmath=True)
def _list_nodes(parts, index, beam, where, pixels, room):
    """Find the codes of four nodes along the first index, for those that a run of pixels reads along the second."""
    row, low, high, _width = where
    below1, weights1, _below2, _weights2, (row1, _column1, _row2, _column2), _visible, _spans = pixels
    start, operation, first, second, _run, image, beams, steps = index
    codes, offset, rank, scale = parts
    begins, weights, sources, _line = room
    middle, at1 = operation.shape[0] // 2, np.uintp(row * row1)
    shift1, shift2 = middle - beams[beam, 0] * steps[0], middle - beams[beam, 1] * steps[1]
    begin, end = max(low + shift2, 0), min(high + shift2, operation.shape[1])
    origin = np.uintp(low + shift2)
    for a in range(np.uintp(4)):
        n1 = below1[at1] - 1 + np.int64(a) + shift1
        for node in range(np.uintp(high - low)):
            sources[node * np.uintp(4) + a] = -1
        if not 0 <= n1 < operation.shape[0]:
            continue
        row_of, last, source = np.uintp(n1), np.int8(-1), np.int32(-1)
        place, values, weight = np.int64(0), np.int64(0), np.float32(0.0)
        for n2 in range(np.uintp(begin), np.uintp(end)):
            taken = operation[row_of, n2]
            if taken != last:
                last, source = taken, np.int32(-1)
                if taken >= 0:
                    source = image[np.uintp(taken), np.uintp(beam)]
                if source >= 0:
                    place, values = offset[np.uintp(source)], rank[np.uintp(source)]
                    weight = weights1[at1, a] * scale[np.uintp(source)]
            if source < 0:
                continue
            pair = start[np.uintp(source), np.uintp(first[row_of, n2] + middle)] + second[row_of, n2]
            at = (n2 - origin) * np.uintp(4) + a
            begins[at], weights[at], sources[at] = place + pair * values, weight, source
            for ahead in range(0, values + LINE - 1, LINE):
                prefetch(codes, begins[at] + ahead)


@njit(nogil=True, cache=True, fastmath=True)
def _sum_across(parts, index, beam, where, pixels, room):
    """Weighted sums of four nodes along the first index, for those that a run of pixels reads along the second."""
    _row, low, high, width = where
    codes, _offset, rank, _scale = parts
    begins, weights, sources, line = room
    _list_nodes(parts, index, beam, where, pixels, room)
    line[: (high - low) * width] = np.float32(0.0)
    one, four = np.uintp(1), np.uintp(4)
    for node in range(np.uintp(high - low)):
        at, to = node * four, node * np.uintp(width)
        s0, s1, s2, s3 = sources[at], sources[at + one], sources[at + np.uintp(2)], sources[at + np.uintp(3)]
        if s0 == s1 == s2 == s3:
            if s0 >= 0:
                add_weighted(line, to, codes, begins, weights, at, at + four, np.uintp(rank[np.uintp(s0)]))
            continue
        for entry in range(at, at + four):
            source = sources[entry]
            if source >= 0:
                values = np.uintp(rank[np.uintp(source)])
                add_weighted(line, to, codes, begins, weights, entry, entry + one, values)
