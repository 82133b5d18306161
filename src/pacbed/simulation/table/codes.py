"""Square-root codes in 16 bits: the error is the same fraction of the square root at every intensity."""

from __future__ import annotations

import numpy as np
from numba import njit

INTENSITY_LEVELS = 65535  # of the square root of an intensity, 0 to 1
COEFFICIENT_LEVELS = 16383  # of the square root of a spline coefficient's size; int16 reaches twice that
SCALE = np.float32(1.0 / COEFFICIENT_LEVELS**2)  # of code * abs(code): back to a coefficient


def encode(intensity: np.ndarray) -> np.ndarray:
    """Code intensities: round(65535 sqrt(I)).

    Parameters
    ----------
    intensity : ndarray
        Fractions of the beam; what lies outside 0 to 1 is clipped.

    Returns
    -------
    ndarray of uint16
        Codes, of the same shape.
    """
    codes = np.empty((intensity.size, 1), dtype=np.uint16)
    encode_columns(intensity.reshape(-1, 1), np.zeros(1, dtype=np.int64), codes)
    return codes.reshape(intensity.shape)


@njit(nogil=True, cache=True)
def encode_columns(intensity, columns, codes):
    """Code chosen columns of intensities, as `encode` does; single precision is finer than the codes.

    Parameters
    ----------
    intensity : ndarray, shape (row, column)
    columns : ndarray of int64, shape (chosen,)
    codes : ndarray of uint16, shape (row, chosen)
        Receives the codes.
    """
    zero, one, half, levels = np.float32(0.0), np.float32(1.0), np.float32(0.5), np.float32(INTENSITY_LEVELS)
    for row in range(np.uintp(len(codes))):
        for at in range(np.uintp(len(columns))):
            value = min(max(np.float32(intensity[row, np.uintp(columns[at])]), zero), one)
            codes[row, at] = np.uint16(np.int32(np.sqrt(value) * levels + half))


def decode(code: np.ndarray) -> np.ndarray:
    """Intensities of codes, of any shape: float32 of the same shape, fractions of the beam from 0 to 1."""
    root = code.astype(np.float32) / np.float32(INTENSITY_LEVELS)
    return root * root


def decode_coefficients(code: np.ndarray) -> np.ndarray:
    """Spline coefficients of codes.

    Parameters
    ----------
    code : ndarray of int16
        sign(c) round(16383 sqrt(|c|)).

    Returns
    -------
    ndarray of float32
        Coefficients c, -4 to 4, of the same shape.
    """
    coefficients = np.empty(code.shape, dtype=np.float32)
    if code.size:
        rows = (-1, code.shape[-1])
        _decode_coefficients(code.reshape(rows), coefficients.reshape(rows))
    return coefficients


@njit(nogil=True, cache=True)
def _decode_coefficients(codes, coefficients):
    """Fill in coefficients (row, column) in one pass; NumPy's three take four times as long."""
    for row in range(np.uintp(codes.shape[0])):
        for column in range(np.uintp(codes.shape[1])):
            root = np.float32(codes[row, column]) / np.float32(COEFFICIENT_LEVELS)
            coefficients[row, column] = root * abs(root)
