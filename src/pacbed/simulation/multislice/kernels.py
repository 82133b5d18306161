"""Compiled inner loops of the plane-wave engine on a processor."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath=True)
def transmit(wave, transmission, absorbed, taken):
    """Multiply waves by a transmission function, in place, and add up what the absorption takes from each.

    Parameters
    ----------
    wave : ndarray of complex64, shape (direction, pixel)
        Values in real space.
    transmission : ndarray of complex64, shape (pixel,)
    absorbed : ndarray of float32, shape (pixel,)
        Fraction of an electron at a pixel that the slice absorbs, over the number of pixels.
    taken : ndarray of float32, shape (direction,)
        Grows by sum over pixels of absorbed |wave|^2.
    """
    for direction in range(wave.shape[0]):
        total = np.float32(0.0)
        row = wave[direction]
        for pixel in range(wave.shape[1]):
            re, im = row[pixel].real, row[pixel].imag
            total += absorbed[pixel] * (re * re + im * im)
            row[pixel] = row[pixel] * transmission[pixel]
        taken[direction] += total


@njit(nogil=True, cache=True, fastmath=True)
def squared_beams(wave, columns, intensity):
    """Squared modulus of chosen points of each wave (direction, pixel), and of each wave as a whole: one pass.

    Parameters
    ----------
    wave : ndarray of complex64, shape (direction, pixel)
    columns : ndarray of int64, shape (beam,)
        Pixels wanted.
    intensity : ndarray of float32, shape (direction, beam)
        Receives them; its directions may be fewer.

    Returns
    -------
    ndarray of float32, shape (direction,)
        Sum over all pixels.
    """
    norm = np.empty(len(intensity), dtype=np.float32)
    for direction in range(len(intensity)):
        row, total = wave[direction], np.float32(0.0)
        for pixel in range(np.uintp(wave.shape[1])):
            total += row[pixel].real ** 2 + row[pixel].imag ** 2
        for beam in range(np.uintp(len(columns))):
            value = row[np.uintp(columns[beam])]
            intensity[direction, beam] = value.real**2 + value.imag**2
        norm[direction] = total
    return norm
