"""Square-root codes in 16 bits: the error is the same fraction of the square root at every intensity."""

from __future__ import annotations

import numpy as np
from numba import njit

LEVELS = 65535  # of intensities, 0 to 1
COEFFICIENT_LEVELS = 16383  # of the square root of a spline coefficient's size; int16 reaches twice that
SCALE = np.float32(1.0 / COEFFICIENT_LEVELS**2)  # of code * abs(code): back to a coefficient


def encode(intensity: np.ndarray) -> np.ndarray:
    """Intensities, fractions of the beam from 0 to 1, as uint16 codes of the same shape."""
    codes = np.empty((intensity.size, 1), dtype=np.uint16)
    encode_columns(intensity.reshape(-1, 1), np.zeros(1, dtype=np.int64), codes)
    return codes.reshape(intensity.shape)


@njit(nogil=True, cache=True)
def encode_columns(intensity, columns, codes):
    """Fill in codes (row, chosen column) of intensities (row, column); single precision is finer than they are."""
    zero, one, half, levels = np.float32(0.0), np.float32(1.0), np.float32(0.5), np.float32(LEVELS)
    for row in range(np.uintp(len(codes))):
        for at in range(np.uintp(len(columns))):
            value = min(max(np.float32(intensity[row, np.uintp(columns[at])]), zero), one)
            codes[row, at] = np.uint16(np.int32(np.sqrt(value) * levels + half))


def decode(code: np.ndarray) -> np.ndarray:
    """Codes back to float32 intensities of the same shape."""
    root = code.astype(np.float32) / np.float32(LEVELS)
    return root * root


def decode_coefficients(code: np.ndarray) -> np.ndarray:
    """Codes of coefficients, -4 to 4, back to float32 coefficients of the same shape."""
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
