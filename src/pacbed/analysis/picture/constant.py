"""Parts of a frame that hold one value and saw nothing: padded borders, corners left by a rotation, dead gaps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pacbed.analysis.picture.levels import intensity_range

SMALLEST_PX = 9
MOST_REGIONS = 400  # of one value that are looked at; a sparse frame has thousands, and all are its own
OWN_SHARE = 0.05  # the value is rarer among the pixels about a region, or it belongs to the pattern
SURELY_OWN = 0.25  # in a frame of single electrons it is so common that a closer look tells nothing new
BORDER_JUMP, GAP_JUMP = 0.03, 0.25  # share of the pattern's range by which the pixels about it differ
LARGEST_HOT_PX = 64  # a larger region of the highest value is a saturated disk
THICK = 0.03  # of the frame's edge: thinner parts are gaps to be filled, thicker ones saw another field
RIM_PX = 2  # about a border, pixels are mixtures
WIDEST_GAP = 0.06  # of the frame's edge, of lines that hold one value from end to end
LIT_PX = 16  # of the lines on either side hold another: by chance a line between them has no electron once in 1e7


class Constant(NamedTuple):
    """What holds one value.

    Attributes
    ----------
    border, gaps : bool array, shape (y, x)
        Padding about the frame; dead parts and clusters within.
    """

    border: np.ndarray
    gaps: np.ndarray


def constant_parts(array: np.ndarray, recorded: np.ndarray) -> Constant:
    """Find the parts of a frame that hold one value while what lies about them does not.

    Parameters
    ----------
    array : float array, shape (y, x)
        Counts.
    recorded : bool array, shape (y, x)
        Pixels with a value that counts.
    """
    border, gaps = np.zeros(array.shape, dtype=bool), gap_lines(array, recorded)
    recorded = recorded & ~gaps
    values = array[recorded]
    low, high = intensity_range(np.where(recorded, array, np.nan))
    rim = np.concatenate([array[0], array[-1], array[:, 0], array[:, -1]])
    levels, counts = np.unique(rim[np.isfinite(rim)], return_counts=True)
    candidates = {
        float(values.min()),
        float(values.max()),
        *([float(levels[np.argmax(counts)])] if len(levels) else []),
    }
    for value in sorted(candidates):
        labels, _ = ndimage.label(_blocks((array == value) & recorded))
        sizes = np.bincount(labels.ravel())[1:]
        if np.count_nonzero(sizes >= SMALLEST_PX) > MOST_REGIONS:
            continue
        for index, window in enumerate(ndimage.find_objects(labels), start=1):
            if sizes[index - 1] < SMALLEST_PX:
                continue
            area = tuple(slice(max(0, part.start - 5), part.stop + 5) for part in window)
            region = labels[area] == index
            if np.mean(array[area][~region] == value) > SURELY_OWN:
                continue
            jump = _jump(array[area], region, recorded[area], value) / max(high - low, 1e-30)
            if jump == 0:
                continue
            at_rim = any(p.start == 0 or p.stop == n for p, n in zip(window, array.shape, strict=True))
            if at_rim and abs(jump) > BORDER_JUMP and _depth(region) > THICK * min(array.shape):
                border[area] |= ndimage.binary_dilation(region, iterations=RIM_PX) & recorded[area]
            elif jump > (BORDER_JUMP if at_rim else GAP_JUMP) or (
                jump < -GAP_JUMP and sizes[index - 1] <= LARGEST_HOT_PX
            ):
                gaps[area] |= region
    return Constant(border, gaps & ~border)


def gap_lines(array: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """Rows and columns that hold one value from end to end, between some that do not: gaps between chips, dead lines.

    Where the dark field about the disk holds that value as well, as where no electron fell, it is no part of them.

    Parameters
    ----------
    array : float array, shape (y, x)
        Counts.
    recorded : bool array, shape (y, x)
        Pixels with a value that counts.

    Returns
    -------
    bool array, shape (y, x)
    """
    found = np.zeros(array.shape, dtype=bool)
    for lines, seen, gaps in ((array, recorded, found), (array.T, recorded.T, found.T)):
        least, most = lines.min(axis=1, initial=np.inf, where=seen), lines.max(axis=1, initial=-np.inf, where=seen)
        even = (least == most) & (seen.sum(axis=1) >= LIT_PX)
        for (run,) in ndimage.find_objects(ndimage.label(even)[0]):
            if run.start == 0 or run.stop == len(lines) or run.stop - run.start > WIDEST_GAP * len(lines):
                continue
            sides = [run.start - 1, run.stop]
            if ((lines[sides] != least[run.start]) & seen[sides]).sum(axis=1).min() >= LIT_PX:
                gaps[run] = seen[run]
    return found


def _blocks(equal: np.ndarray) -> np.ndarray:
    """Pixels of squares of 2 x 2 that are all equal, shape (y, x)."""
    corners = equal[:-1, :-1] & equal[1:, :-1] & equal[:-1, 1:] & equal[1:, 1:]
    blocks = np.zeros(equal.shape, dtype=bool)
    for down in (slice(None, -1), slice(1, None)):
        for across in (slice(None, -1), slice(1, None)):
            blocks[down, across] |= corners
    return blocks


def _jump(array: np.ndarray, region: np.ndarray, recorded: np.ndarray, value: float) -> float:
    """How far the pixels about a region lie above its value; 0 where the value is one of theirs."""
    touched = ndimage.binary_dilation(region)
    about = ndimage.binary_dilation(touched, iterations=3) & ~touched & recorded
    if not about.any() or np.mean(array[about] == value) > OWN_SHARE:
        return 0.0
    return float(np.median(array[about])) - value


def _depth(region: np.ndarray) -> float:
    """Largest distance of a region's pixels from what is outside it; beyond the frame it goes on."""
    return float(ndimage.distance_transform_edt(np.pad(region, 1, mode="edge")).max())
