"""The spline of summed coefficients along one row of pixels, all components along thickness at once; compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit


class StencilRow(NamedTuple):
    """Stencils of a row of pixels: the first one, the step to the next, and the node that a line of sums begins at."""

    first: int
    step: int
    origin: int


@njit(nogil=True, cache=True, fastmath=True)
def interpolate_row(nodes, stencils, row, line, out):
    """Fill in the visible pixels of one row.

    On most images only m1 or m2 moves along a row. The four neighbours along the other axis are then summed once for
    the whole row, and each pixel reads four sums instead of sixteen coefficients.

    Parameters
    ----------
    nodes : NodeSum
        Components on the nodes.
    stencils : Stencils
        Of all pixels.
    row : int
        Row of the image.
    line : ndarray of float32, shape (node, component)
        Memory for one row of sums, along either axis of the nodes.
    out : ndarray of float32, shape (column, component or more)
        Receives the components of the row's pixels.
    """
    total, first1, first2 = nodes.components, nodes.box.first1, nodes.box.first2
    below1, weights1, below2, weights2 = stencils.below1, stencils.weights1, stencils.below2, stencils.weights2
    begin, end = stencils.visible[row, 0], stencils.visible[row, 1]
    at1, at2, step1, step2 = row * stencils.row1, row * stencils.row2, stencils.column1, stencils.column2
    if begin >= end:
        return
    if step2 == 0:
        low, high = _nodes_read(below1, at1 + begin * step1, at1 + (end - 1) * step1)
        _sum_across(total, np.uintp(below2[at2] - 1 - first2), weights2[at2], low - first1, high - first1, line)
        _along(line, below1, weights1, StencilRow(at1, step1, first1), begin, end, out)
        return
    if step1 == 0:
        low, high = _nodes_read(below2, at2 + begin * step2, at2 + (end - 1) * step2)
        turned = total.transpose(1, 0, 2)
        _sum_across(turned, np.uintp(below1[at1] - 1 - first1), weights1[at1], low - first2, high - first2, line)
        _along(line, below2, weights2, StencilRow(at2, step2, first2), begin, end, out)
        return
    for column in range(begin, end):
        s1, s2, to = at1 + column * step1, at2 + column * step2, np.uintp(column)
        i, j = np.uintp(below1[s1] - 1 - first1), np.uintp(below2[s2] - 1 - first2)
        out[to] = 0.0
        for a in range(np.uintp(4)):
            for b in range(np.uintp(4)):
                weight = weights1[s1, a] * weights2[s2, b]
                for k in range(np.uintp(total.shape[2])):
                    out[to, k] += weight * total[i + a, j + b, k]


@njit(nogil=True, cache=True, fastmath=True)
def _nodes_read(below, left, right):
    """First node and one past the last that the stencils between two read."""
    return min(below[left], below[right]) - 1, max(below[left], below[right]) + 3


@njit(nogil=True, cache=True, fastmath=True)
def _sum_across(total, j, weights, begin, end, line):
    """Weighted sum of four nodes along the second index, from j on, for a range of first indices."""
    w0, w1, w2, w3 = weights
    one, two, three = j + np.uintp(1), j + np.uintp(2), j + np.uintp(3)
    for i in range(np.uintp(begin), np.uintp(end)):
        for k in range(np.uintp(total.shape[2])):
            near = w0 * total[i, j, k] + w1 * total[i, one, k]
            line[i, k] = near + w2 * total[i, two, k] + w3 * total[i, three, k]


@njit(nogil=True, cache=True, fastmath=True)
def _along(line, below, weights, stencil_row, begin, end, out):
    """Spline along a line of sums, for a range of columns."""
    first, step, origin = stencil_row
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    for column in range(begin, end):
        at, to = np.uintp(first + column * step), np.uintp(column)
        i = np.uintp(below[at] - 1 - origin)
        w0, w1 = weights[at, np.uintp(0)], weights[at, one]
        w2, w3 = weights[at, two], weights[at, three]
        for k in range(np.uintp(line.shape[1])):
            near = w0 * line[i, k] + w1 * line[i + one, k]
            out[to, k] = near + w2 * line[i + two, k] + w3 * line[i + three, k]
