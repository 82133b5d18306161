"""Patterns of a stack as integers, with as many low bits zero as a pattern can spare."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from pacbed.errors import SimulationError

ROUNDING = 6e-4  # largest error of a pixel, as a share of its pattern's maximum
LARGEST = 65_535


def encode_series(images: np.ndarray, scale: float) -> np.ndarray:
    """Integers of a series of patterns.

    Zero bits cost nothing once compressed, and how many there are follows from each pattern's own maximum.

    Parameters
    ----------
    images : ndarray of float32, shape (thickness, y, x)
        Fraction of the beam per pixel.
    scale : float
        Fraction of the beam per unit of an integer.

    Returns
    -------
    ndarray of uint16
        Of the same shape; what is below zero, from interpolation, is zero.

    Raises
    ------
    SimulationError
        A pixel is brighter than the integers reach.
    """
    codes = np.empty(images.shape, dtype=np.uint16)
    brightest = _encode(images.reshape(len(images), -1), np.float32(scale), codes.reshape(len(images), -1))
    if brightest > LARGEST * scale:
        raise SimulationError(f"stack: brightest pixel {brightest:g} exceeds the integer scale of {LARGEST * scale:g}")
    return codes


@njit(nogil=True, cache=True, fastmath=True)
def _encode(images, scale, codes):
    """Fill the codes of (thickness, pixel); returns the largest intensity."""
    brightest = np.float32(0.0)
    for t in range(np.uintp(len(images))):
        highest = np.float32(0.0)
        for i in range(np.uintp(images.shape[1])):
            highest = max(highest, images[t, i])
        brightest = max(brightest, highest)
        bits = max(0.0, math.floor(math.log2(max(2.0 * ROUNDING * max(highest / scale, 1.0), 1.0))))
        step = np.float32(2.0**bits)
        inverse, half, most = np.float32(1.0) / (step * scale), np.float32(0.5), np.float32(LARGEST)
        for i in range(np.uintp(images.shape[1])):
            whole = np.int32(max(images[t, i], np.float32(0.0)) * inverse + half)
            codes[t, i] = np.uint16(min(np.float32(whole) * step, most))
    return brightest
