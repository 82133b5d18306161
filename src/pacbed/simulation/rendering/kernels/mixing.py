"""Patterns from the components of each pixel, thickness as the inner axis; compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.mix_vectors import BLOCK, mixer

_mix_four, _mix_one = mixer(4), mixer(1)


def thickness_blocks(mix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights as `mix_row` reads them.

    Parameters
    ----------
    mix : ndarray, shape (thickness, component)
        Weights of the components in each pattern.

    Returns
    -------
    weights : ndarray of float32, shape (component, thickness)
        At least `BLOCK` thicknesses: zeros fill up a single block.
    blocks : ndarray of uint64, shape (block, 3)
        First thickness of each block of `BLOCK`, first component that it needs and one past the last; the last block
        may repeat some of the one before.
    """
    count = max(len(mix), BLOCK)
    weights = np.zeros((mix.shape[1], count), dtype=np.float32)
    weights[:, : len(mix)] = mix.T
    blocks = []
    for first in (*range(0, count - BLOCK, BLOCK), count - BLOCK):
        needed = np.flatnonzero(np.any(weights[:, first : first + BLOCK], axis=1))
        blocks.append((first, needed[0], needed[-1] + 1) if len(needed) else (first, 0, 0))
    return weights, np.array(blocks, dtype=np.uint64)


@njit(nogil=True, cache=True, fastmath=True)
def mix_row(components, weights, blocks, visible, span, out):
    """Patterns of one row of pixels.

    Parameters
    ----------
    components : ndarray of float32, shape (pixel, component)
    weights, blocks : ndarray
        From `thickness_blocks`.
    visible, span : ndarray of int, shape (2,)
        First pixel and one past the last that is not zero, and that is to be filled in.
    out : ndarray of float32 or uint16, shape (pixel, thickness)
        The patterns; integers are rounded, and clipped to what they hold.
    """
    pitch, count = np.uintp(components.shape[1]), np.uintp(out.shape[1])
    read, weighted, written = components.reshape(-1), weights.reshape(-1), out.reshape(-1)
    out[span[0] : visible[0]] = 0
    out[visible[1] : span[1]] = 0
    four, pixel, stop = np.uintp(4), np.uintp(visible[0]), np.uintp(visible[1])
    while pixel + four <= stop:
        for b in range(np.uintp(len(blocks))):
            t, first, last = blocks[b, 0], blocks[b, 1], blocks[b, 2]
            to = pixel * count + t
            _mix_four(read, pixel * pitch, pitch, weighted, t, count, first, last, written, to, count)
        pixel += four
    while pixel < stop:
        for b in range(np.uintp(len(blocks))):
            t, first, last = blocks[b, 0], blocks[b, 1], blocks[b, 2]
            to = pixel * count + t
            _mix_one(read, pixel * pitch, pitch, weighted, t, count, first, last, written, to, count)
        pixel += np.uintp(1)


@njit(nogil=True, cache=True)
def mix_image(components, weights, blocks, visible, spans, out):
    """`mix_row` for all rows: components (ny, nx, component), visible and spans (ny, 2), out (ny, nx, thickness)."""
    for row in range(len(out)):
        mix_row(components[row], weights, blocks, visible[row], spans[row], out[row])
