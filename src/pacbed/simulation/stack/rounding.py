"""Patterns of a stack as integers, with as many low bits zero as a pattern can spare."""

from __future__ import annotations

import numpy as np

from pacbed.patterns import LARGEST_COUNT

ROUNDING = 7e-4  # largest error of a pixel, as a share of its pattern's maximum


def clear_low_bits(counts: np.ndarray) -> np.ndarray:
    """Round the integers of each pattern to as many zero bits as its maximum allows: those cost nothing compressed.

    Parameters
    ----------
    counts : ndarray of uint16, shape (thickness, ky, kx)
        Rounded to whole numbers before, which counts as part of the error.

    Returns
    -------
    ndarray of uint16, shape (thickness, ky, kx)
    """
    highest = counts.max(axis=(1, 2), keepdims=True)
    # Half a unit is lost already, and a step as large as this loses half of it.
    largest_step = np.maximum(2.0 * ROUNDING * highest - 1.0, 1.0)
    steps = (2.0 ** np.floor(np.log2(largest_step))).astype(np.uint32)
    rounded = (counts + steps // 2) & ~(steps - 1)
    return np.minimum(rounded, LARGEST_COUNT).astype(np.uint16)
