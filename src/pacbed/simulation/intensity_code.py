"""Square-root codes in 16 bits: the error is the same fraction of the square root at every intensity."""

from __future__ import annotations

import numpy as np

LEVELS = 65535  # of intensities, 0 to 1
COEFFICIENT_LEVELS = 16383  # of the square root of a spline coefficient's size; int16 reaches twice that


def encode(intensity: np.ndarray) -> np.ndarray:
    """Intensities, fractions of the beam from 0 to 1, as uint16 codes of the same shape."""
    return np.round(np.sqrt(np.clip(intensity, 0.0, 1.0)) * LEVELS).astype(np.uint16)


def decode(code: np.ndarray) -> np.ndarray:
    """Codes back to float32 intensities of the same shape."""
    root = code.astype(np.float32) / np.float32(LEVELS)
    return root * root


def decode_coefficients(code: np.ndarray) -> np.ndarray:
    """Codes of coefficients, -4 to 4, back to float32 coefficients of the same shape."""
    root = code.astype(np.float32) / np.float32(COEFFICIENT_LEVELS)
    return root * np.abs(root)
