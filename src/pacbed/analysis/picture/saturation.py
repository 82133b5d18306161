"""Saturated pixels, from the histogram: what a detector or a format cuts off piles up at one value, the highest."""

from __future__ import annotations

import numpy as np

FEWEST_PIXELS = 16  # at the ceiling
FEWEST_LEVELS = 32  # a picture of fewer different values is too coarse to tell a plateau from a ceiling
SAME = 1e-5  # of the range: values nearer than this are one, as after an interpolation between equal ones
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
    if not _may_pile_up(values):
        return None
    finite = values[np.isfinite(values)].astype(np.float64)
    low, top = float(np.percentile(finite, 2)), float(finite.max())
    step = max(SAME * (top - low), 1e-30)
    levels, counts = np.unique(np.round((top - finite) / step), return_counts=True)
    if len(levels) < FEWEST_LEVELS or counts[0] < FEWEST_PIXELS:
        return None
    most = int(counts[1:][levels[1:] < NEAR_CEILING / SAME].max(initial=1))
    return top - step / 2 if counts[0] > PILE * most else None


def _may_pile_up(values: np.ndarray) -> bool:
    """Whether enough pixels are near the highest; most patterns have few, which is quickly seen."""
    known = values if values.dtype.kind in "iu" else values[np.isfinite(values)]
    if known.size < FEWEST_PIXELS:
        return False
    low, top = float(known.min()), float(known.max())
    return low < top and int(np.count_nonzero(known >= top - 2 * SAME * (top - low))) >= FEWEST_PIXELS


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
