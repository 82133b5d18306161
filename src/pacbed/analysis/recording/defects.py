"""Defective pixels of a recorded pattern: hot, dead, or without a value."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

DEFECT_SIGMA = 8.0  # a defect stands out from its neighbours by so many standard deviations of the noise
DEFECT_RANGE = 0.05  # and by this share of the pattern's range


class Repaired(NamedTuple):
    """A pattern without its defective pixels.

    Attributes
    ----------
    array : float32 array, shape (y, x)
        Counts, all finite.
    defects : int
        Pixels replaced.
    """

    array: np.ndarray
    defects: int


def repair(array: np.ndarray) -> Repaired:
    """Replace hot, dead and missing pixels by the median of their neighbours.

    Parameters
    ----------
    array : float array, shape (y, x)
        Counts; not finite where the detector gave no value.
    """
    bad = ~np.isfinite(array)
    filled = np.where(bad, np.median(array[~bad]), array).astype(np.float32)
    middle = ndimage.median_filter(filled, size=3, mode="nearest")
    deviation = np.abs(filled - middle)
    low, high = np.percentile(filled, [5, 99.5])
    bad |= deviation > np.maximum(DEFECT_SIGMA * _noise_by_level(middle, deviation), DEFECT_RANGE * (high - low))
    return Repaired(np.where(bad, middle, filled), int(bad.sum()))


def _noise_by_level(level: np.ndarray, deviation: np.ndarray, steps: int = 12) -> np.ndarray:
    """Standard deviation of the noise at each pixel: counts are noisier where there are more of them.

    Parameters
    ----------
    level, deviation : float array, shape (y, x)
        Median of the neighbours, and the distance of each pixel from it.
    steps : int
        Levels of brightness that are told apart.

    Returns
    -------
    float array, shape (y, x)
    """
    edges = np.quantile(level, np.linspace(0, 1, steps + 1)[1:-1])
    group = np.searchsorted(edges, level.ravel(), side="right")
    values = deviation.ravel()
    sigma = np.array([np.quantile(values[group == k], 0.99) / 2.58 if np.any(group == k) else 0 for k in range(steps)])
    return np.asarray(np.maximum(sigma, ndimage.median_filter(sigma, 3))[group].reshape(level.shape))
