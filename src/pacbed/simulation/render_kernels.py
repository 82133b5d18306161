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
    ring_rows,
)
from pacbed.simulation.disk_runs import disk_runs
from pacbed.simulation.intensity_code import COEFFICIENT_LEVELS

SCALE = np.float32(1.0 / COEFFICIENT_LEVELS**2)
FAR = 1_000_000  # nodes; beyond any detector


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
def render_pattern(values, index, axes, place, lines, out):
    """One pattern from the coefficients of one thickness.

    Parameters
    ----------
    values : ndarray of float32, shape (pair,)
        From `combine_planes`.
    index, axes : tuple
        Look-up tables, see `Renderer`; `axes` has the `axis_tables` of both axes.
    place : tuple
        Tilt, pitch and its inverse, beams' angles, field, reach of a stencil, alpha, edge, scale.
    lines : ndarray, shape (3, 2)
        Angle of the first pixel, and its step from row to row and from column to column [mrad].
    out : ndarray of float32, shape (ny, nx)
        The pattern.
    """
    tilt, pitch, inverse, _angles, field, reach, alpha = place[:7]
    box = detector_box(lines, out.shape, tilt, inverse)
    out[:] = 0.0
    pixels = pixel_weights(lines, tilt, inverse, out.shape, box)
    total = np.zeros((box[1] - box[0], box[3] - box[2]), dtype=np.float32)
    turned = np.zeros((box[3] - box[2], box[1] - box[0]), dtype=np.float32)
    across = np.ascontiguousarray(pitch[::-1])
    turned_box = (box[2], box[3], box[0], box[1])
    fields = field_ranges(box, pitch, field + reach), field_ranges(turned_box, across, field + reach)
    _add_disks(values, index, disk_runs(axes[0], tilt, pitch, -1.0, alpha), axes[0][4], 0, box, fields[0], total)
    _add_disks(
        values, index, disk_runs(axes[1], tilt, across, -1.0, alpha), axes[1][4], 1, turned_box, fields[1], turned
    )
    _add_turned(turned, total)
    _correct_edges(values, index, axes, place, across, lines, box, fields, pixels, out)
    _interpolate(total, box, pixels, place, lines, out)


@njit(nogil=True, cache=True, fastmath=True)
def _add_turned(turned, total):
    """Add a transposed array, eight rows at a time, so that a line of memory is read once."""
    columns, whole = np.uintp(total.shape[1]), total.shape[0] // 8 * 8
    for first in range(np.uintp(0), np.uintp(whole), np.uintp(8)):
        for column in range(columns):
            for k in range(np.uintp(8)):
                total[first + k, column] += turned[column, first + k]
    for row in range(np.uintp(whole), np.uintp(total.shape[0])):
        for column in range(columns):
            total[row, column] += turned[column, row]


@njit(nogil=True, cache=True, fastmath=True)
def _add_disks(values, index, runs, step, axis, box, in_field, total):
    """Add the runs of all beams' disks to the nodes of the detector; rows along the axis that the runs follow."""
    start, image, beams, steps, reach = index
    for beam in range(len(beams)):
        shift1, shift2 = beams[beam, axis] * steps[axis] - box[0], beams[beam, 1 - axis] * steps[1 - axis]
        for run in range(len(runs)):
            row = runs[run, 0] + shift1
            if not 0 <= row < len(total):
                continue
            begin = max(runs[run, 1] + shift2, in_field[row, 0])
            end = min(runs[run, 2] + shift2, in_field[row, 1])
            if begin >= end:
                continue
            taken = runs[run, 3]
            at = start[image[taken, beam], runs[run, 4] + reach] + runs[run, 5]
            at += step[taken] * (begin - shift2 - runs[run, 1])
            r, to, source = np.uintp(row), np.uintp(begin - box[2]), np.uintp(at)
            if step[taken] > 0:
                for j in range(np.uintp(end - begin)):
                    total[r, to + j] += values[source + j]
            else:
                for j in range(np.uintp(end - begin)):
                    total[r, to + j] += values[source - j]


@njit(nogil=True, cache=True, fastmath=True)
def _correct_edges(values, index, axes, place, across, lines, box, fields, pixels, out):
    """Add aperture times a beam's own spline, less its share in the sum, where a pixel's nodes straddle its edge."""
    tilt, pitch, inverse, angles, _field, reach, alpha, edge = place[:8]
    # Pixels of the ring are touched by nodes on the disk down to `near`, and by nodes outside it up to `far`.
    near, far, width = alpha - 0.5 * edge - reach, alpha + 0.5 * edge + reach, max(0.5 * edge, reach)
    rings = (
        (disk_runs(axes[0], tilt, pitch, near, alpha), disk_runs(axes[1], tilt, across, near, alpha)),
        (disk_runs(axes[0], tilt, pitch, alpha, far), disk_runs(axes[1], tilt, across, alpha, far)),
    )
    low1, high1, low2, high2 = _square(tilt, inverse, alpha + width + reach)
    # Every beam writes the same nodes of these; all others stay zero.
    inside = np.zeros((high1 - low1, high2 - low2), dtype=np.float32)
    outside = np.zeros_like(inside)
    beams, steps = index[2], index[3]
    for beam in range(len(angles)):
        x, y = lines[0, 0] - angles[beam, 0], lines[0, 1] - angles[beam, 1]
        rows = ring_rows(x, y, lines, alpha + width, 0, out.shape[0])
        corner = low1 + beams[beam, 0] * steps[0], low2 + beams[beam, 1] * steps[1]
        if rows[0] >= rows[1] or corner[0] >= box[1] or corner[1] >= box[3]:
            continue
        for axis in range(2):
            shift = box[2 * axis], low1, low2
            _read_ring(values, index, rings[0][axis], axes[axis][4], axis, beam, fields[axis], shift, inside)
            _read_ring(values, index, rings[1][axis], axes[axis][4], axis, beam, fields[axis], shift, outside)
        _correct_edge(inside, outside, corner, rows, (x, y), (alpha, edge, width), lines, pixels, out)


@njit(nogil=True, cache=True, fastmath=True)
def _square(tilt, inverse, radius):
    """First and one past the last index, along both axes, of the nodes within a radius of the tilt."""
    half1, half2 = radius * np.hypot(inverse[0, 0], inverse[1, 0]), radius * np.hypot(inverse[0, 1], inverse[1, 1])
    first = clipped(tilt[0] * inverse[0, 0] + tilt[1] * inverse[1, 0], half1, -FAR, FAR)
    second = clipped(tilt[0] * inverse[0, 1] + tilt[1] * inverse[1, 1], half2, -FAR, FAR)
    return first[0], first[1], second[0], second[1]


@njit(nogil=True, cache=True, fastmath=True)
def _read_ring(values, index, runs, step, axis, beam, in_field, shift, grid):
    """Write the runs of one beam into a grid of directions; rows along the first axis, whatever the runs follow."""
    start, image, beams, steps, reach = index
    low, low1, low2 = shift
    shift1, shift2 = beams[beam, axis] * steps[axis] - low, beams[beam, 1 - axis] * steps[1 - axis]
    for run in range(len(runs)):
        row = runs[run, 0] + shift1
        if not 0 <= row < len(in_field):
            continue
        begin = max(runs[run, 1], in_field[row, 0] - shift2)
        end = min(runs[run, 2], in_field[row, 1] - shift2)
        taken = runs[run, 3]
        at = start[image[taken, beam], runs[run, 4] + reach] + runs[run, 5] - step[taken] * runs[run, 1]
        for n2 in range(begin, end):
            value = values[np.uintp(at + step[taken] * n2)]
            if axis == 0:
                grid[np.uintp(runs[run, 0] - low1), np.uintp(n2 - low2)] = value
            else:
                grid[np.uintp(n2 - low1), np.uintp(runs[run, 0] - low2)] = value


@njit(nogil=True, cache=True, fastmath=True)
def _correct_edge(inside, outside, corner, rows, origin, aperture_mrad, lines, pixels, out):
    """Correct the pixels in the ring around one disk."""
    below, weights = pixels
    alpha, edge, width = aperture_mrad
    one = np.float32(1.0)
    for row in range(rows[0], rows[1]):
        x, y = origin[0] + row * lines[1, 0], origin[1] + row * lines[1, 1]
        ring = ring_columns(x, y, lines[2, 0], lines[2, 1], alpha, width, out.shape[1])
        for side in range(2):
            for column in range(ring[2 * side], ring[2 * side + 1]):
                px, py = x + column * lines[2, 0], y + column * lines[2, 1]
                share = aperture(math.sqrt(px * px + py * py), alpha, edge)
                r, c = np.uintp(row), np.uintp(column)
                i, j = np.uintp(below[r, c, 0] - 1 - corner[0]), np.uintp(below[r, c, 1] - 1 - corner[1])
                if share > 0.0:
                    out[r, c] += share * _patch(outside, i, j, weights, r, c)
                if share < one:
                    out[r, c] -= (one - share) * _patch(inside, i, j, weights, r, c)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _patch(grid, i, j, w, row, column):
    """Spline of the sixteen coefficients from grid[i, j] on."""
    value = np.float32(0.0)
    for a in range(np.uintp(4)):
        four = np.float32(0.0)
        for b in range(np.uintp(4)):
            four += w[row, column, b + np.uintp(4)] * grid[i + a, j + b]
        value += w[row, column, a] * four
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
                r, c = np.uintp(row), np.uintp(column)
                i, j = np.uintp(below[r, c, 0] - 1 - box[0]), np.uintp(below[r, c, 1] - 1 - box[2])
                out[r, c] = scale * (out[r, c] + _patch(total, i, j, weights, r, c))
