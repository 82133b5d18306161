"""Saturated pixels, from the histogram: what a detector or a format cuts off piles up at one value, the highest."""

from __future__ import annotations

import numpy as np

FEWEST_PIXELS = 8  # at the ceiling
FEWEST_LEVELS = 32  # a picture of fewer different values is too coarse to tell a plateau from a ceiling
NEAR_CEILING = 0.1  # of the range: the levels that the ceiling is compared with
PILE = 4.0  # so many times as many pixels lie at the ceiling as at any level below it


def ceiling(values: np.ndarray) -> float | None:
    """The value at which counts are cut off; None where none are.

    Below a ceiling each level has a few pixels, at it are all that would have been brighter. The brightest part of a
    pattern, even a flat disk of a thin crystal, ends gradually instead: by noise, or by its own shape.

    Parameters
    ----------
    values : array of any shape
        Counts; those not finite do not count.
    """
    levels, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if len(levels) < FEWEST_LEVELS or counts[-1] < FEWEST_PIXELS:
        return None
    low = levels[np.searchsorted(np.cumsum(counts), 0.02 * counts.sum())]
    below = levels[:-1] > levels[-1] - NEAR_CEILING * (levels[-1] - low)
    most = int(counts[:-1][below].max(initial=1))
    return float(levels[-1]) if counts[-1] > PILE * most else None


def saturated_pixels(array: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Pixels at the ceiling.

    Parameters
    ----------
    array : float array, shape (y, x)
        Counts.
    used : bool array, shape (y, x)
        Pixels that count: hot ones have ceilings of their own.

    Returns
    -------
    bool array, shape (y, x)
    """
    top = ceiling(array[used])
    return np.zeros(array.shape, dtype=bool) if top is None else np.asarray(used & (array >= top))


def saturated_in_frames(frames: np.ndarray) -> np.ndarray:
    """Pixels that are at the ceiling in one frame or more: their mean is too low.

    Parameters
    ----------
    frames : array, shape (frame, y, x)
        Counts of single frames.

    Returns
    -------
    bool array, shape (y, x)
    """
    top = ceiling(frames)
    if top is None:
        return np.zeros(frames.shape[1:], dtype=bool)
    return np.asarray((frames >= top).any(axis=0))
