"""Where the pixels of an image, the nodes of the detector and the disks of the beams lie to each other; compiled.

A pixel (row, column) looks at k = origin + row * down + column * right;
a node M of the detector lies at k = M pitch - tau.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacbed.simulation.table.spline import four_weights

STILL = 1e-6  # nodes; an axis that moves less across an image stands still
FAR = 1_000_000  # nodes; beyond any detector


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

    The first pixel of the image lies at (x, y) from the beam. Rows and columns need not be perpendicular.
    """
    area = lines[2, 0] * lines[1, 1] - lines[2, 1] * lines[1, 0]
    middle = -(lines[2, 0] * y - lines[2, 1] * x) / area
    return clipped(middle, radius * math.hypot(lines[2, 0], lines[2, 1]) / abs(area), first, last)


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def aperture(distance, alpha, edge):
    """Share of the beam that the aperture lets pass: 1 inside, a ramp across the edge, 0 outside.

    `pacbed.simulation.scan.aperture.aperture_transmission` is the same ramp for abTEM's probes.
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
def visible_pixels(lines, tilt, field, spans, columns):
    """First and one past the last pixel of each row that lie in the field, of those in `spans`, shape (row, 2)."""
    visible = np.empty(spans.shape, dtype=np.int64)
    for row in range(len(spans)):
        x, y = lines[0, 0] + row * lines[1, 0] + tilt[0], lines[0, 1] + row * lines[1, 1] + tilt[1]
        begin, _, _, end = ring_columns(x, y, lines[2, 0], lines[2, 1], field, 0.0, columns)
        visible[row, 0] = min(max(begin, spans[row, 0]), spans[row, 1])
        visible[row, 1] = max(visible[row, 0], min(end, spans[row, 1]))
    return visible


@njit(nogil=True, cache=True, fastmath=True)
def wanted_nodes(visible, pixels, box):
    """First and one past the last m2 of the nodes that visible pixels read, for each row of nodes of the detector."""
    below1, _weights1, below2, _weights2, (row1, column1, row2, column2) = pixels
    wanted = np.empty((box[1] - box[0], 2), dtype=np.int64)
    wanted[:, 0], wanted[:, 1] = box[3], box[2]
    for row in range(len(visible)):
        for column in range(visible[row, 0], visible[row, 1]):
            first = below1[row * row1 + column * column1] - 1 - box[0]
            low = below2[row * row2 + column * column2] - 1
            for m1 in range(first, first + 4):
                wanted[m1, 0], wanted[m1, 1] = min(wanted[m1, 0], low), max(wanted[m1, 1], low + 4)
    return wanted


@njit(nogil=True, cache=True, fastmath=True)
def pixel_weights(lines, tilt, inverse, shape, box):
    """Where the pixels of an image lie between nodes, along both axes of the nodes.

    On most images an axis of the nodes runs along rows or columns of pixels. Then one row or column speaks for all,
    and its weights stay in the fastest cache.

    Returns
    -------
    tuple
        Along the first axis the node below (place,) and the weights of four nodes from the one before it on (place, 4);
        both along the second axis; and what leads from a pixel to its places: steps from row to row and from column to
        column, for the first axis and for the second.
    """
    below1, weights1, row1, column1 = _axis_weights(lines, tilt, inverse[:, 0], shape, box[0] + 1.0, box[1] - 3.0)
    below2, weights2, row2, column2 = _axis_weights(lines, tilt, inverse[:, 1], shape, box[2] + 1.0, box[3] - 3.0)
    return below1, weights1, below2, weights2, (row1, column1, row2, column2)


@njit(nogil=True, cache=True, fastmath=True)
def _axis_weights(lines, tilt, inverse, shape, lowest, highest):
    """What `pixel_weights` returns for one axis of the nodes."""
    position = (lines[0, 0] + tilt[0]) * inverse[0] + (lines[0, 1] + tilt[1]) * inverse[1]
    down = lines[1, 0] * inverse[0] + lines[1, 1] * inverse[1]
    right = lines[2, 0] * inverse[0] + lines[2, 1] * inverse[1]
    rows = shape[0] if abs(down) * shape[0] > STILL else 1
    columns = shape[1] if abs(right) * shape[1] > STILL else 1
    below, weights = np.empty(rows * columns, dtype=np.int32), np.empty((rows * columns, 4), dtype=np.float32)
    for row in range(np.uintp(rows)):
        for column in range(np.uintp(columns)):
            u, at = position + row * down + column * right, row * np.uintp(columns) + column
            node = min(max(math.floor(u), lowest), highest)
            below[at] = np.int32(node)
            four_weights(np.float32(u - node), weights, at)
    return below, weights, columns if rows > 1 else 0, 1 if columns > 1 else 0
