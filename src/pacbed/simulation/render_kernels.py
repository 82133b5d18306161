"""Compiled inner loops of the renderer; they release the GIL."""

from __future__ import annotations

import numpy as np
from numba import njit

from pacbed.simulation.intensity_code import LEVELS

SCALE = np.float32(1.0 / LEVELS)


@njit(nogil=True, cache=True, fastmath=True)
def combine_planes(codes, start, weights):
    """Weighted sum of consecutive thickness planes of square-root codes; shape (pair,)."""
    out = np.zeros(codes.shape[1], dtype=np.float32)
    for plane in range(len(weights)):
        weight = weights[plane] * SCALE * SCALE
        row = codes[start + plane]
        for pair in range(len(out)):
            code = np.float32(row[pair])
            out[pair] += weight * code * code
    return out


@njit(nogil=True, cache=True)
def spread_pairs(pairs, source):
    """Copy the pairs of the symmetry wedge to all their images, in the order of `source`."""
    out = np.empty(len(source), dtype=np.float32)
    for index in range(len(source)):
        out[index] = pairs[source[index]]
    return out


@njit(nogil=True, cache=True, fastmath=True)
def _cubic(fraction, weights):
    """Lagrange weights at -1, 0, 1, 2."""
    f = fraction
    weights[0] = -f * (f - 1.0) * (f - 2.0) / 6.0
    weights[1] = (f + 1.0) * (f - 1.0) * (f - 2.0) / 2.0
    weights[2] = -(f + 1.0) * f * (f - 2.0) / 2.0
    weights[3] = (f + 1.0) * f * (f - 1.0) / 6.0


@njit(nogil=True, cache=True, fastmath=True)
def _place(x, y, tilt, inverse, steps, w1, w2):
    """Lattice coordinates of a pixel, the node below it, and the interpolation weights (filled in)."""
    c1 = x * inverse[0, 0] + y * inverse[1, 0]
    c2 = x * inverse[0, 1] + y * inverse[1, 1]
    u1 = (c1 + tilt[0] * inverse[0, 0] + tilt[1] * inverse[1, 0]) * steps[0]
    u2 = (c2 + tilt[0] * inverse[0, 1] + tilt[1] * inverse[1, 1]) * steps[1]
    b1, b2 = int(np.floor(u1)), int(np.floor(u2))
    _cubic(u1 - b1, w1)
    _cubic(u2 - b2, w2)
    return c1, c2, b1, b2


@njit(nogil=True, cache=True, fastmath=True)
def _first_last(coordinate, reach, span):
    """Beam indices whose disks may reach a pixel, as a half-open range."""
    return max(-span, int(np.ceil(coordinate - reach))), min(span, int(np.floor(coordinate + reach))) + 1


@njit(nogil=True, cache=True, fastmath=True)
def _aperture(dx, dy, alpha, edge):
    """Share of the beam that the aperture lets pass: 1 inside, a ramp across the edge, 0 outside."""
    distance = np.sqrt(dx * dx + dy * dy)
    if distance > alpha + 0.5 * edge + 1e-9:
        return np.float32(0.0)
    if distance > alpha - 0.5 * edge and edge > 0.0:
        return np.float32((alpha + 0.5 * edge - distance) / edge)
    return np.float32(1.0)


@njit(nogil=True, cache=True, fastmath=True)
def render_pixels(kx, ky, tilt, plane, row_start, slot, origin, steps, reciprocal, field, alpha, edge, scale, out):
    """PACBED(k) = sum over G of [|k - G| <= alpha] I(G, k - G + tau) at each pixel, cubic in the direction.

    G lies on nodes, so the fractional node position, and with it the weights, are the same for every G; so is
    q + G = k + tau, so that one test tells whether the table holds all that a pixel needs.
    """
    inverse = np.linalg.inv(reciprocal)
    span_h, span_l = slot.shape[0] // 2, slot.shape[1] // 2
    outer = alpha + 0.5 * edge + 1e-9
    reach_h = outer * np.hypot(inverse[0, 0], inverse[1, 0])
    reach_l = outer * np.hypot(inverse[0, 1], inverse[1, 1])
    w1, w2 = np.empty(4, dtype=np.float32), np.empty(4, dtype=np.float32)
    for pixel in range(len(kx)):
        x, y = kx[pixel], ky[pixel]
        if np.hypot(x + tilt[0], y + tilt[1]) > field:
            out[pixel] = 0.0
            continue
        c1, c2, b1, b2 = _place(x, y, tilt, inverse, steps, w1, w2)
        total = np.float32(0.0)
        first_h, last_h = _first_last(c1, reach_h, span_h)
        first_k, last_k = _first_last(c2, reach_l, span_l)
        for h in range(first_h, last_h):
            for k in range(first_k, last_k):
                index = slot[h + span_h, k + span_l]
                if index < 0:
                    continue
                dx = x - h * reciprocal[0, 0] - k * reciprocal[1, 0]
                dy = y - h * reciprocal[0, 1] - k * reciprocal[1, 1]
                weight = _aperture(dx, dy, alpha, edge)
                if weight == 0.0:
                    continue
                i = b1 - h * steps[0] + origin - 1
                j = b2 - k * steps[1] + origin - 1
                value = np.float32(0.0)
                for a in range(4):
                    at = row_start[index, i + a] + j
                    value += w1[a] * (
                        w2[0] * plane[at] + w2[1] * plane[at + 1] + w2[2] * plane[at + 2] + w2[3] * plane[at + 3]
                    )
                total += weight * value
        out[pixel] = total * scale


@njit(nogil=True, cache=True, fastmath=True)
def interpolate_planes(codes, start, weights):
    """Intensities of every pair at several thicknesses, shape (pair, thickness).

    `start` and `weights`, shapes (thickness,) and (thickness, 4), give the planes that each thickness combines.
    """
    count = len(start)
    out = np.empty((codes.shape[1], count), dtype=np.float32)
    block = 512  # pairs whose codes stay in cache while they are transposed
    for first in range(0, codes.shape[1], block):
        last = min(first + block, codes.shape[1])
        for t in range(count):
            for pair in range(first, last):
                value = np.float32(0.0)
                for node in range(weights.shape[1]):
                    code = np.float32(codes[start[t] + node, pair]) * SCALE
                    value += weights[t, node] * code * code
                out[pair, t] = value
    return out


@njit(nogil=True, cache=True, fastmath=True)
def render_pixel_series(
    kx, ky, tilt, values, source, row_start, slot, origin, steps, reciprocal, field, alpha, edge, scale, out
):
    """`render_pixels` for all thicknesses at once: the weights are shared, thickness is the inner, contiguous axis."""
    inverse = np.linalg.inv(reciprocal)
    span_h, span_l = slot.shape[0] // 2, slot.shape[1] // 2
    outer = alpha + 0.5 * edge + 1e-9
    reach_h = outer * np.hypot(inverse[0, 0], inverse[1, 0])
    reach_l = outer * np.hypot(inverse[0, 1], inverse[1, 1])
    w1, w2 = np.empty(4, dtype=np.float32), np.empty(4, dtype=np.float32)
    count = values.shape[1]
    for pixel in range(len(kx)):
        x, y = kx[pixel], ky[pixel]
        total = out[pixel]
        total[:] = 0.0
        if np.hypot(x + tilt[0], y + tilt[1]) > field:
            continue
        c1, c2, b1, b2 = _place(x, y, tilt, inverse, steps, w1, w2)
        first_h, last_h = _first_last(c1, reach_h, span_h)
        first_k, last_k = _first_last(c2, reach_l, span_l)
        for h in range(first_h, last_h):
            for k in range(first_k, last_k):
                index = slot[h + span_h, k + span_l]
                if index < 0:
                    continue
                dx = x - h * reciprocal[0, 0] - k * reciprocal[1, 0]
                dy = y - h * reciprocal[0, 1] - k * reciprocal[1, 1]
                weight = np.float32(scale) * _aperture(dx, dy, alpha, edge)
                if weight == 0.0:
                    continue
                i = b1 - h * steps[0] + origin - 1
                j = b2 - k * steps[1] + origin - 1
                for a in range(4):
                    at = row_start[index, i + a] + j
                    r0, r1 = values[source[at]], values[source[at + 1]]
                    r2, r3 = values[source[at + 2]], values[source[at + 3]]
                    outer_weight = weight * w1[a]
                    v0, v1, v2, v3 = (
                        w2[0] * outer_weight,
                        w2[1] * outer_weight,
                        w2[2] * outer_weight,
                        w2[3] * outer_weight,
                    )
                    for t in range(count):
                        total[t] += v0 * r0[t] + v1 * r1[t] + v2 * r2[t] + v3 * r3[t]
