"""The spline of summed coefficients along one row of pixels, all components along thickness at once; compiled."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath=True)
def interpolate_row(total, box, pixels, row, at, line, band):
    """Fill in the visible pixels of one row.

    On most images only one index of the nodes moves along a row. The four neighbours along the other are then summed
    once for the whole row, and each pixel reads four sums instead of sixteen coefficients.

    Parameters
    ----------
    total, box
        See `widen_sum`.
    pixels : tuple
        See `render_pattern_series`.
    row, at : int
        Row of the image, and where its first pixel lies in `band`.
    line : ndarray of float32, shape (node, component)
        Room for one row of sums, along either axis of the nodes.
    band : ndarray of float32, shape (pixel, component or more)
        Receives them.
    """
    below1, weights1, below2, weights2, (row1, column1, row2, column2), every_visible, _spans = pixels
    visible = every_visible[row]
    if visible[0] >= visible[1]:
        return
    if column2 == 0:
        nodes = _nodes_read(below1, (row * row1, column1), box[0], visible)
        _sum_across(total, np.uintp(below2[row * row2] - 1 - box[2]), weights2[row * row2], nodes, line)
        _along(line, below1, weights1, (row * row1, column1), box[0], visible, at, band)
        return
    if column1 == 0:
        nodes, across = _nodes_read(below2, (row * row2, column2), box[2], visible), total.transpose(1, 0, 2)
        _sum_across(across, np.uintp(below1[row * row1] - 1 - box[0]), weights1[row * row1], nodes, line)
        _along(line, below2, weights2, (row * row2, column2), box[2], visible, at, band)
        return
    for column in range(visible[0], visible[1]):
        at1, at2, to = row * row1 + column * column1, row * row2 + column * column2, np.uintp(at + column)
        i, j = np.uintp(below1[at1] - 1 - box[0]), np.uintp(below2[at2] - 1 - box[2])
        band[to] = 0.0
        for a in range(np.uintp(4)):
            for b in range(np.uintp(4)):
                weight = weights1[at1, a] * weights2[at2, b]
                for k in range(np.uintp(total.shape[2])):
                    band[to, k] += weight * total[i + a, j + b, k]


@njit(nogil=True, cache=True, fastmath=True)
def _nodes_read(below, places, origin, visible):
    """First and one past the last node that the visible pixels of a row read; `places` as in `_along`."""
    left, right = below[places[0] + visible[0] * places[1]], below[places[0] + (visible[1] - 1) * places[1]]
    return min(left, right) - 1 - origin, max(left, right) + 3 - origin


@njit(nogil=True, cache=True, fastmath=True)
def _sum_across(total, j, weights, nodes, line):
    """Weighted sum of four nodes along the second index, from j on, for a range of first indices."""
    w0, w1, w2, w3 = weights
    one, two, three = j + np.uintp(1), j + np.uintp(2), j + np.uintp(3)
    for i in range(np.uintp(nodes[0]), np.uintp(nodes[1])):
        for k in range(np.uintp(total.shape[2])):
            near = w0 * total[i, j, k] + w1 * total[i, one, k]
            line[i, k] = near + w2 * total[i, two, k] + w3 * total[i, three, k]


@njit(nogil=True, cache=True, fastmath=True)
def _along(line, below, weights, places, origin, visible, at, band):
    """Spline along a line of sums; `places` has the place of the row's first pixel and the step to the next."""
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    for column in range(visible[0], visible[1]):
        place, to = np.uintp(places[0] + column * places[1]), np.uintp(at + column)
        i = np.uintp(below[place] - 1 - origin)
        w0, w1 = weights[place, np.uintp(0)], weights[place, one]
        w2, w3 = weights[place, two], weights[place, three]
        for k in range(np.uintp(line.shape[1])):
            near = w0 * line[i, k] + w1 * line[i + one, k]
            band[to, k] = near + w2 * line[i + two, k] + w3 * line[i + three, k]
