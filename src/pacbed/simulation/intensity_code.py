"""Square-root coding of beam intensities in 16 bits: the error is 1.5e-5 of the square root of the intensity."""

from __future__ import annotations

import numpy as np

LEVELS = 65535


def encode(intensity: np.ndarray) -> np.ndarray:
    """Intensities, fractions of the beam from 0 to 1, as uint16 codes of the same shape."""
    return np.round(np.sqrt(np.clip(intensity, 0.0, 1.0)) * LEVELS).astype(np.uint16)


def decode(code: np.ndarray) -> np.ndarray:
    """Codes back to float32 intensities of the same shape."""
    root = code.astype(np.float32) / np.float32(LEVELS)
    return root * root
