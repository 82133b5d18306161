"""Patterns from the components of each pixel along thickness; compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.vectors import LANES


@njit(nogil=True, cache=True, fastmath=True)
def turn_row(components, visible, turned):
    """Transpose the visible pixels of one row, some of their components (a multiple of `LANES`) at a time.

    Parameters
    ----------
    components : ndarray of float32, shape (column, component or more)
    visible : ndarray of int64, shape (2,)
        First column and one past the last.
    turned : ndarray of float32, shape (component, column)
        Receives them.
    """
    for first in range(np.uintp(0), np.uintp(turned.shape[0]), np.uintp(LANES)):
        for column in range(np.uintp(visible[0]), np.uintp(visible[1])):
            for k in range(np.uintp(LANES)):
                turned[first + k, column] = components[column, first + k]


@njit(nogil=True, cache=True, fastmath=True)
def mix_row(mix, turned, visible, row, out):
    """Combine the components of one row of pixels to patterns, four by four, so that each is loaded once for four.

    Parameters
    ----------
    mix : Mix
    turned : ndarray of float32, shape (component, column)
        From `turn_row`.
    visible : ndarray of int64, shape (2,)
        First column and one past the last; the others become zero.
    row : int
    out : ndarray of float32, shape (thickness, ny, nx)
        Receives the row of every pattern.
    """
    weights, used = mix
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    low, high = np.uintp(visible[0]), np.uintp(visible[1])
    lines = np.empty((4, out.shape[2]), dtype=np.float32)
    for t in range(0, out.shape[0], 4):
        lines[:] = 0.0
        for c in range(np.uintp(used[t // 4, 0]), np.uintp(used[t // 4, 1]), np.uintp(4)):
            for k in range(np.uintp(0), np.uintp(4), np.uintp(2)):
                u, v = np.uintp(t) + k, np.uintp(t) + k + one
                u0, u1, u2, u3 = weights[u, c], weights[u, c + one], weights[u, c + two], weights[u, c + three]
                v0, v1, v2, v3 = weights[v, c], weights[v, c + one], weights[v, c + two], weights[v, c + three]
                for x in range(low, high):
                    c0, c1, c2, c3 = turned[c, x], turned[c + one, x], turned[c + two, x], turned[c + three, x]
                    lines[k, x] += u0 * c0 + u1 * c1 + u2 * c2 + u3 * c3
                    lines[k + one, x] += v0 * c0 + v1 * c1 + v2 * c2 + v3 * c3
        for k in range(min(4, out.shape[0] - t)):
            out[t + k, row, :low], out[t + k, row, high:] = 0.0, 0.0
            out[t + k, row, low:high] = lines[k, low:high]
