"""Compiled inner loop of the plane-wave engine on a processor."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath=True)
def transmit(wave, transmission, weights, taken):
    """Multiply each wave (direction, pixel) by a transmission function and sum what the absorption takes: one pass."""
    for direction in range(wave.shape[0]):
        total = np.float32(0.0)
        row = wave[direction]
        for pixel in range(wave.shape[1]):
            re, im = row[pixel].real, row[pixel].imag
            total += weights[pixel] * (re * re + im * im)
            row[pixel] = row[pixel] * transmission[pixel]
        taken[direction] = total
