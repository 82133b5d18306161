"""Square-root codes in 16 bits: the error is the same fraction of the square root at every intensity."""

from __future__ import annotations

import numpy as np

from pacbed.errors import SimulationError

LEVELS = 65535  # of intensities, 0 to 1
COEFFICIENT_LEVELS = 16383  # of the square root of a spline coefficient's size; int16 reaches twice that


def encode(intensity: np.ndarray) -> np.ndarray:
    """Intensities, fractions of the beam from 0 to 1, as uint16 codes of the same shape."""
    return np.round(np.sqrt(np.clip(intensity, 0.0, 1.0)) * LEVELS).astype(np.uint16)


def decode(code: np.ndarray) -> np.ndarray:
    """Codes back to float32 intensities of the same shape."""
    root = code.astype(np.float32) / np.float32(LEVELS)
    return root * root


def encode_coefficients(coefficient: np.ndarray) -> np.ndarray:
    """Spline coefficients, -4 to 4, as int16 codes of the same shape.

    Raises
    ------
    SimulationError
        A coefficient is larger: the samples it came from are no intensities.
    """
    root = np.sqrt(np.abs(coefficient)) * COEFFICIENT_LEVELS
    if root.size and not root.max() <= 32767:
        raise SimulationError(f"spline coefficients: got {np.abs(coefficient).max():g}, accepted: -4 to 4")
    return np.copysign(np.round(root), coefficient).astype(np.int16)


def decode_coefficients(code: np.ndarray) -> np.ndarray:
    """Codes back to float32 coefficients of the same shape."""
    root = code.astype(np.float32) / np.float32(COEFFICIENT_LEVELS)
    return root * np.abs(root)
