"""Where the pixels of an image, the nodes of the detector and the disks of the beams lie to each other; compiled.

A pixel (row, column) looks at k = origin + row * down + column * right;
a node M of the detector lies at k = M pitch - tau.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacbed.simulation.spline import KERNEL

SIXTH, TWO_THIRDS, CURVED = np.float32(1 / 6), np.float32(2 / 3), np.float32(KERNEL)


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
    begin = min(max(low, math.ceil(s)), high)
    return begin, max(begin, min(high, math.floor(e) + 1))


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def clipped(center, half, low, high):
    """First and one past the last integer within `half` of a centre, clipped to low ... high - 1."""
    return max(low, math.ceil(center - half - 1e-6)), min(high, math.floor(center + half + 1e-6) + 1)


@njit(nogil=True, cache=True, fastmath=True)
def field_ranges(box, pitch, radius):
    """First and one past the last m2 within a radius of the optic axis, for each row of nodes of the detector."""
    ranges = np.empty((box[1] - box[0], 2), dtype=np.int64)
    for row in range(len(ranges)):
        ranges[row, 0], ranges[row, 1] = node_range(row + box[0], 0.0, 0.0, pitch, radius, box[2], box[3])
    return ranges


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def ring_columns(x, y, dx, dy, alpha, width, columns):
    """Pixels of a row that lie within `width` of a circle: begin, end left and begin, end right of its middle."""
    s, e = crossing(x, y, dx, dy, alpha + width)
    begin, end = max(0, math.ceil(s)), min(columns, math.floor(e) + 1)
    if begin >= end:
        return 0, 0, 0, 0
    s, e = crossing(x, y, dx, dy, alpha - width)
    if s > e:
        return begin, end, end, end
    return begin, min(end, math.ceil(s)), max(begin, math.floor(e) + 1), end


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def ring_rows(x, y, lines, radius, first, last):
    """First and one past the last row of pixels, of those from `first` to `last` - 1, within a radius of a beam.

    The first pixel of the image lies at (x, y) from the beam.
    """
    step2 = lines[1, 0] * lines[1, 0] + lines[1, 1] * lines[1, 1]
    middle = -(x * lines[1, 0] + y * lines[1, 1]) / step2
    return clipped(middle, radius / math.sqrt(step2), first, last)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def aperture(distance, alpha, edge):
    """Share of the beam that the aperture lets pass: 1 inside, a ramp across the edge, 0 outside.

    `pacbed.simulation.aperture.aperture` is the same ramp for abTEM's probes.
    """
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
def pixel_weights(lines, tilt, inverse, shape, box):
    """Node below each pixel (ny, nx, 2) and the weights of its four rows and four columns of nodes (ny, nx, 8)."""
    below = np.empty((shape[0], shape[1], 2), dtype=np.int32)
    weights = np.empty((shape[0], shape[1], 8), dtype=np.float32)
    step1 = lines[2, 0] * inverse[0, 0] + lines[2, 1] * inverse[1, 0]
    step2 = lines[2, 0] * inverse[0, 1] + lines[2, 1] * inverse[1, 1]
    for row in range(np.uintp(shape[0])):
        x, y = lines[0, 0] + row * lines[1, 0] + tilt[0], lines[0, 1] + row * lines[1, 1] + tilt[1]
        u, v = x * inverse[0, 0] + y * inverse[1, 0], x * inverse[0, 1] + y * inverse[1, 1]
        for column in range(np.uintp(shape[1])):
            b1 = min(max(math.floor(u + column * step1), box[0] + 1.0), box[1] - 3.0)
            b2 = min(max(math.floor(v + column * step2), box[2] + 1.0), box[3] - 3.0)
            below[row, column, 0], below[row, column, 1] = np.int32(b1), np.int32(b2)
            four_weights(np.float32(u + column * step1 - b1), weights, row, column, np.uintp(0))
            four_weights(np.float32(v + column * step2 - b2), weights, row, column, np.uintp(4))
    return below, weights


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def four_weights(f, weights, row, column, at):
    """Weights of the spline at a position between two nodes, see `spline_weights`."""
    half, one, two, three, g = np.float32(0.5), np.float32(1.0), np.float32(2.0), np.float32(3.0), np.float32(1.0) - f
    weights[row, column, at] = g * (g * g * SIXTH + CURVED)
    weights[row, column, at + np.uintp(1)] = f * f * (half * f - one) + TWO_THIRDS + CURVED * (three * f - two)
    weights[row, column, at + np.uintp(2)] = g * g * (half * g - one) + TWO_THIRDS + CURVED * (three * g - two)
    weights[row, column, at + np.uintp(3)] = f * (f * f * SIXTH + CURVED)
