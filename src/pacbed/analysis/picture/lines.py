"""Defective columns and rows of a camera, whole or half: brighter or darker than both sides all along."""

from __future__ import annotations

import numpy as np

from pacbed.analysis.picture.levels import intensity_range, thinned

SIDES = (2, 3, 4)  # a line is compared with the medians of these lines on either side: up to three may be defective
STEADY = 0.85  # of a line's pixels differ in one sense
LEAST_RANGE, LEAST_SIGMA = 0.08, 4.0  # by this share of the pattern's range and so much of the noise, in the median
DEAD, BRIGHT = 0.15, 0.25  # a dead line has no more of the light that both sides have, which is some of the range
UNEVEN = 3.0  # and so many times more is missing than both sides differ by
FEWEST_PIXELS = 16  # of a line that say something
BAND = 512  # columns that are judged at a time


def defective_lines(array: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Pixels of defective columns and rows.

    Parameters
    ----------
    array : float array, shape (y, x)
        Counts, all finite.
    used : bool array, shape (y, x)
        Pixels that count; a line of few of them is not judged.

    Returns
    -------
    bool array, shape (y, x)
    """
    low, high = intensity_range(array)
    noise = float(np.median(np.abs(np.diff(thinned(array), axis=1)))) / 0.95
    least = max(LEAST_RANGE * (high - low), LEAST_SIGMA * noise)
    if least <= 0:
        return np.zeros(array.shape, dtype=bool)
    return _columns(array, used, (low, high), least) | _columns(array.T, used.T, (low, high), least).T


def _columns(array: np.ndarray, used: np.ndarray, levels: tuple[float, float], least: float) -> np.ndarray:
    """Columns of an array, shape (y, x), a band of them at a time: a camera's 67 million pixels fit in memory."""
    reach = max(SIDES)
    wide = np.pad(array, ((0, 0), (reach, reach)), mode="edge")
    bands = [
        _band(wide[:, first : first + BAND + 2 * reach], used[:, first : first + BAND], levels, least)
        for first in range(0, array.shape[1], BAND)
    ]
    bad = np.concatenate(bands, axis=1)
    bad[:, :1] = bad[:, -1:] = False  # the outermost have one side only
    return bad


def _band(wide: np.ndarray, used: np.ndarray, levels: tuple[float, float], least: float) -> np.ndarray:
    """Columns, by halves: each pixel of `used`, shape (y, x), against those on its left and on its right.

    `wide` are the counts, with as many columns more on either side as are looked at.
    """
    (dark, bright), reach = levels, max(SIDES)
    width = used.shape[1]
    array = wide[:, reach : reach + width]
    left, right = (
        _median_of_three(*(wide[:, reach + sign * step : reach + sign * step + width] for step in SIDES))
        for sign in (-1, 1)
    )
    above, below = array - np.maximum(left, right), np.minimum(left, right) - array
    # Light on both sides and none between them.
    lit = used & (np.minimum(left, right) - dark > BRIGHT * (bright - dark))
    unlit = lit & (array - dark < DEAD * (np.minimum(left, right) - dark))
    bad = np.zeros(array.shape, dtype=bool)
    middle = array.shape[0] // 2
    for half in (slice(0, middle), slice(middle, None)):
        seen = used[half]
        count = seen.sum(axis=0)
        for over in (above[half], below[half]):
            steady = ((over > 0) & seen).sum(axis=0) > STEADY * count
            bad[half] |= steady & (((over > least) & seen).sum(axis=0) > 0.5 * count) & (count >= FEWEST_PIXELS)
    count = lit.sum(axis=0)
    near = SIDES[0]
    beside = np.abs(wide[:, reach - near : reach - near + width] - wide[:, reach + near : reach + near + width])
    missing, uneven = (np.where(lit, part, 0.0).sum(axis=0) for part in (below, beside))
    dead = (count >= FEWEST_PIXELS) & (unlit.sum(axis=0) > STEADY * count) & (missing > UNEVEN * uneven)
    return bad | (lit & dead)


def _median_of_three(one: np.ndarray, two: np.ndarray, three: np.ndarray) -> np.ndarray:
    """Median of three arrays, pixel by pixel."""
    return np.asarray(np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), three)))
