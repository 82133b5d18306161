"""Isolated hot and dead pixels: they differ from their neighbours as nothing else near them does."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from pacbed.analysis.picture.levels import intensity_range

DEFECT_SIGMA = 8.0  # a defect stands out from its neighbours by so many standard deviations of the noise
LEAST_ELECTRONS = 5.0  # and by so many electrons
DEFECT_RANGE = 0.05  # and by this share of the pattern's range
# and so many times further than all but two of the pixels about it: electrons have company, defects have none
LONELY, COMPANY, WINDOW = 4.0, 3, 4
LEVELS = 12  # of brightness whose noise is told apart
# Without a pattern to be seen, what stands out are single electrons, unless it does so many times as far as most.
FEWEST_ELECTRONS, FAR_FROM_MOST, PATTERN_SEEN = 10, 10.0, 5.0


def isolated_defects(array: np.ndarray) -> np.ndarray:
    """Hot and dead pixels, alone or two together; single electrons of a sparse frame are none.

    Parameters
    ----------
    array : float array, shape (y, x)
        Counts, all finite.

    Returns
    -------
    bool array, shape (y, x)
    """
    middle = ndimage.median_filter(array, size=3, mode="nearest")
    deviation = np.abs(array - middle)
    low, high = intensity_range(array)
    least = np.maximum(DEFECT_SIGMA * _noise_by_level(middle, deviation), DEFECT_RANGE * (high - low))
    stands_out = deviation > np.maximum(least, 1e-6 * np.abs(middle))
    if not stands_out.any():
        return np.asarray(stands_out)
    if not _shows_a_pattern(middle):
        values = deviation[deviation > DEFECT_SIGMA * np.median(deviation)]
        most = float(np.median(values)) if len(values) >= FEWEST_ELECTRONS else np.inf
        return np.asarray(stands_out & (deviation > FAR_FROM_MOST * most))
    rows, columns = np.nonzero(stands_out)
    lonely = deviation[rows, columns] > LONELY * _company(deviation, rows, columns)
    found = np.zeros(array.shape, dtype=bool)
    found[rows[lonely], columns[lonely]] = True
    return found


def _company(deviation: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """How far the pixels about each place stand out, but for the two that do most; the place and its rim left out.

    Parameters
    ----------
    deviation : float array, shape (y, x)
    rows, columns : int array, shape (place,)

    Returns
    -------
    float array, shape (place,)
    """
    steps = np.arange(-WINDOW, WINDOW + 1)
    down, across = (part.ravel() for part in np.meshgrid(steps, steps, indexing="ij"))
    about = np.maximum(np.abs(down), np.abs(across)) > 1
    wide = np.pad(deviation, WINDOW, mode="reflect")
    seen = wide[rows[:, None] + WINDOW + down[about], columns[:, None] + WINDOW + across[about]]
    return np.asarray(np.partition(seen, -COMPANY, axis=1)[:, -COMPANY])


def _shows_a_pattern(middle: np.ndarray) -> bool:
    """Whether the medians of neighbours show more than their own noise."""
    smooth = ndimage.gaussian_filter(middle, 3.0)
    noise = float(np.std(middle - ndimage.gaussian_filter(middle, 1.0)))
    return bool(np.ptp(np.percentile(smooth, [2, 98])) > PATTERN_SEEN * noise and np.ptp(smooth) > 0)


def _noise_by_level(level: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Standard deviation of the noise at each pixel: counts are noisier where there are more of them.

    Parameters
    ----------
    level, deviation : float array, shape (y, x)
        Median of the neighbours, and the distance of each pixel from it.

    Returns
    -------
    float array, shape (y, x)
    """
    edges = np.quantile(level, np.linspace(0, 1, LEVELS + 1)[1:-1])
    group = np.zeros(level.shape, dtype=np.uint8)
    for edge in edges:
        group += level >= edge
    # Up to a twentieth of the pixels may be defects.
    present = [k for k in range(LEVELS) if np.any(group == k)]
    sigma = np.zeros(LEVELS)
    sigma[present] = [np.quantile(deviation[group == k], 0.95) / 1.96 for k in present]
    smooth = np.maximum(sigma, ndimage.median_filter(sigma, 3))
    # Counting noise tells what one electron is: its variance over the level. Where hardly any fall, one is no defect.
    signal = float(level[group == present[-1]].mean() - level[group == present[0]].mean())
    if signal > 0:
        electron = float(sigma[present[-1]]) ** 2 / signal
    else:
        electron = float(np.median(deviation[deviation > 0])) if np.any(deviation > 0) else 0.0
    return np.maximum(smooth, LEAST_ELECTRONS * electron / DEFECT_SIGMA).astype(np.float32)[group]
