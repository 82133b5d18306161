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

from pacbed.simulation.rendering.kernels.detector import (
    FAR,
    aperture,
    clipped,
    detector_box,
    field_ranges,
    pixel_weights,
    ring_columns,
    ring_rows,
)
from pacbed.simulation.rendering.kernels.disks import disk_runs
from pacbed.simulation.rendering.kernels.vectors import edge_patch, spline_patch
from pacbed.simulation.table.codes import SCALE


@njit(nogil=True, cache=True, fastmath=True)
def render_pattern(values, index, axes, place, lines, out):
    """One pattern from the coefficients of one thickness.

    Parameters
    ----------
    values : ndarray of int16, shape (pair,)
        From `ThicknessPlanes`.
    index, axes : tuple
        Look-up tables, see `Renderer`; `axes` has the `axis_tables` of both axes.
    place : tuple
        Tilt, pitch and its inverse, beams' angles, field, reach of a stencil, alpha, edge, scale.
    lines : ndarray, shape (3, 2)
        Angle of the first pixel, and its step from row to row and from column to column [mrad].
    out : ndarray of float32, shape (ny, nx)
        The pattern.
    """
    tilt, pitch, inverse, angles, field, reach, alpha, edge = place[:8]
    box = detector_box(lines, out.shape, tilt, inverse)
    out[:] = 0.0
    pixels = pixel_weights(lines, tilt, inverse, out.shape, box)
    total = np.zeros((box[1] - box[0], box[3] - box[2]), dtype=np.float32)
    turned = np.zeros((box[3] - box[2], box[1] - box[0]), dtype=np.float32)
    across = np.ascontiguousarray(pitch[::-1])
    fields = field_ranges(box, pitch, field + reach), field_ranges((*box[2:], *box[:2]), across, field + reach)
    # Pixels of the ring are touched by nodes on the disk down to `near`, and by nodes outside it up to `far`.
    near, far, width = alpha - 0.5 * edge - reach, alpha + 0.5 * edge + reach, max(0.5 * edge, reach)
    runs = disk_runs(axes[0], tilt, pitch, near, alpha, far), disk_runs(axes[1], tilt, across, near, alpha, far)
    corner = _square(tilt, inverse, alpha + width + reach)
    ring, summed = _ring_grids(runs, corner)
    beams, steps = index[2], index[3]
    for beam in range(len(angles)):
        at = corner[0] + beams[beam, 0] * steps[0], corner[2] + beams[beam, 1] * steps[1]
        if at[0] >= box[1] or at[1] >= box[3] or at[0] + len(ring) <= box[0] or at[1] + ring.shape[1] <= box[2]:
            continue
        _take_beam(values, index, runs[0], axes[0][4], 0, beam, box, fields[0], corner, total, ring)
        _take_beam(values, index, runs[1], axes[1][4], 1, beam, box, fields[1], corner, turned, ring)
        x, y = lines[0, 0] - angles[beam, 0], lines[0, 1] - angles[beam, 1]
        _correct_edge(ring, summed, at, (x, y), (alpha, edge, width), lines, pixels, out)
    _add_turned(turned, total)
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
def _square(tilt, inverse, radius):
    """First and one past the last index, along both axes, of the nodes within a radius of the tilt."""
    half1, half2 = radius * np.hypot(inverse[0, 0], inverse[1, 0]), radius * np.hypot(inverse[0, 1], inverse[1, 1])
    first = clipped(tilt[0] * inverse[0, 0] + tilt[1] * inverse[1, 0], half1, -FAR, FAR)
    second = clipped(tilt[0] * inverse[0, 1] + tilt[1] * inverse[1, 1], half2, -FAR, FAR)
    return first[0], first[1], second[0], second[1]


@njit(nogil=True, cache=True, fastmath=True)
def _ring_grids(runs, corner):
    """Zeros for the ring of a beam, which every beam fills at the same nodes, and which nodes the sum holds: ones."""
    ring = np.zeros((corner[1] - corner[0], corner[3] - corner[2]), dtype=np.float32)
    summed = np.zeros_like(ring)
    rows, columns = runs
    for run in range(len(rows)):
        summed[rows[run, 0] - corner[0], rows[run, 3] - corner[2] : rows[run, 4] - corner[2]] = 1.0
    for run in range(len(columns)):
        summed[columns[run, 3] - corner[0] : columns[run, 4] - corner[0], columns[run, 0] - corner[2]] = 1.0
    return ring, summed


@njit(nogil=True, cache=True, fastmath=True)
def _take_beam(values, index, runs, step, axis, beam, box, in_field, corner, total, ring):
    """Add the disk of a beam to the nodes of the detector and copy its ring; runs, and `total`, along an axis."""
    start, image, beams, steps, reach = index
    shift1, shift2 = beams[beam, axis] * steps[axis] - box[2 * axis], beams[beam, 1 - axis] * steps[1 - axis]
    origin = box[2 - 2 * axis]
    for run in range(len(runs)):
        row = runs[run, 0] + shift1
        if not 0 <= row < len(in_field):
            continue
        low, high = max(runs[run, 1], in_field[row, 0] - shift2), min(runs[run, 2], in_field[row, 1] - shift2)
        if low >= high:
            continue
        way = step[runs[run, 7]]
        at = start[image[runs[run, 7], beam], runs[run, 8] + reach] + runs[run, 9] - way * runs[run, 1]
        begin, end = max(low, runs[run, 3]), min(high, runs[run, 4])
        if begin < end:
            r, to, source = np.uintp(row), np.uintp(begin + shift2 - origin), np.uintp(at + way * begin)
            if way > 0:
                for j in range(np.uintp(end - begin)):
                    code = np.float32(values[source + j])
                    total[r, to + j] += code * abs(code)
            else:
                for j in range(np.uintp(end - begin)):
                    code = np.float32(values[source - j])
                    total[r, to + j] += code * abs(code)
        for side in range(2):
            first, last = (low, min(high, runs[run, 5])) if side == 0 else (max(low, runs[run, 6]), high)
            for n2 in range(first, last):
                code = np.float32(values[np.uintp(at + way * n2)])
                if axis == 0:
                    ring[np.uintp(runs[run, 0] - corner[0]), np.uintp(n2 - corner[2])] = code * abs(code)
                else:
                    ring[np.uintp(n2 - corner[0]), np.uintp(runs[run, 0] - corner[2])] = code * abs(code)


@njit(nogil=True, cache=True, fastmath=True)
def _correct_edge(ring, summed, corner, origin, aperture_mrad, lines, pixels, out):
    """Correct the pixels in the ring around one disk, by what the aperture passes less what the sum holds."""
    below1, weights1, below2, weights2, steps = pixels
    row1, column1, row2, column2 = np.uintp(steps[0]), np.uintp(steps[1]), np.uintp(steps[2]), np.uintp(steps[3])
    alpha, edge, width = aperture_mrad
    first, last = ring_rows(origin[0], origin[1], lines, alpha + width, 0, out.shape[0])
    for row in range(first, last):
        x, y = origin[0] + row * lines[1, 0], origin[1] + row * lines[1, 1]
        columns = ring_columns(x, y, lines[2, 0], lines[2, 1], alpha, width, out.shape[1])
        for side in range(2):
            for column in range(columns[2 * side], columns[2 * side + 1]):
                px, py = x + column * lines[2, 0], y + column * lines[2, 1]
                share = aperture(math.sqrt(px * px + py * py), alpha, edge)
                r, c = np.uintp(row), np.uintp(column)
                at1, at2 = r * row1 + c * column1, r * row2 + c * column2
                i, j = np.uintp(below1[at1] - 1 - corner[0]), np.uintp(below2[at2] - 1 - corner[1])
                out[r, c] += edge_patch(ring, summed, share, i, j, weights1, at1, weights2, at2)


@njit(nogil=True, cache=True, fastmath=True)
def _interpolate(total, box, pixels, place, lines, out):
    """Add the spline of the summed coefficients, scale, and clear what lies outside the field."""
    tilt, field, scale = place[0], place[4], place[8] * SCALE
    below1, weights1, below2, weights2, steps = pixels
    row1, column1, row2, column2 = np.uintp(steps[0]), np.uintp(steps[1]), np.uintp(steps[2]), np.uintp(steps[3])
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            x = lines[0, 0] + row * lines[1, 0] + column * lines[2, 0] + tilt[0]
            y = lines[0, 1] + row * lines[1, 1] + column * lines[2, 1] + tilt[1]
            if x * x + y * y > field * field:
                out[row, column] = 0.0
            else:
                r, c = np.uintp(row), np.uintp(column)
                at1, at2 = r * row1 + c * column1, r * row2 + c * column2
                i, j = np.uintp(below1[at1] - 1 - box[0]), np.uintp(below2[at2] - 1 - box[2])
                out[r, c] = scale * (out[r, c] + spline_patch(total, i, j, weights1, at1, weights2, at2))
