"""Levels of intensity that the search for defects measures by: robust, and quick on large frames."""

from __future__ import annotations

import numpy as np

ENOUGH_PX = 256  # along an edge, for a percentile


def intensity_range(array: np.ndarray) -> tuple[float, float]:
    """Levels that 5 % of a frame's pixels lie below and 0.5 % above [counts].

    Parameters
    ----------
    array : float array, shape (y, x)
        Counts; those not finite do not count.
    """
    values = thinned(array)
    if not np.isfinite(values).any():
        values = array
    low, high = np.percentile(values[np.isfinite(values)], [5, 99.5])
    return float(low), float(high)


def thinned(array: np.ndarray) -> np.ndarray:
    """Every so many rows of a large frame, with all their pixels, so that neighbours stay neighbours."""
    return array[:: max(1, array.size // ENOUGH_PX**2)]
