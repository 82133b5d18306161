"""Patterns of a stack as integers, with as many low bits zero as a pattern can spare."""

from __future__ import annotations

import numpy as np
from numba import njit

from pacbed.patterns import LARGEST_COUNT

ROUNDING = 7e-4  # largest error of a pixel, as a share of its pattern's maximum


def clear_low_bits(counts: np.ndarray) -> int:
    """Round the integers of a series of patterns in place, each to as many zero bits as its maximum allows.

    Zero bits cost nothing once compressed.

    Parameters
    ----------
    counts : ndarray of uint16, shape (y, x, thickness)
        Rounded to whole numbers before, which counts as part of the error.

    Returns
    -------
    int
        The largest of all before they were rounded.
    """
    pixels = counts.reshape(-1, counts.shape[2])
    highest = _maxima(pixels)
    # Half a unit is lost already, and a step as large as this loses half of it.
    largest_step = np.maximum(2.0 * ROUNDING * highest - 1.0, 1.0)
    steps = (2.0 ** np.floor(np.log2(largest_step))).astype(np.uint32)
    _round(pixels, steps)
    return int(highest.max())


@njit(nogil=True, cache=True)
def _maxima(pixels):
    """Largest of each column; NumPy takes twice the time."""
    highest = pixels[0].copy()
    for pixel in range(np.uintp(1), np.uintp(len(pixels))):
        for t in range(np.uintp(len(highest))):
            highest[t] = max(highest[t], pixels[pixel, t])
    return highest


@njit(nogil=True, cache=True)
def _round(pixels, steps):
    """Round integers (pixel, thickness) to multiples of a power of two for each thickness."""
    half, mask = (steps // np.uint32(2)), ~(steps - np.uint32(1))
    for pixel in range(np.uintp(len(pixels))):
        for t in range(np.uintp(len(steps))):
            pixels[pixel, t] = np.uint16(min((pixels[pixel, t] + half[t]) & mask[t], np.uint32(LARGEST_COUNT)))
