"""The bright region of a pattern: a first centre and radius, before anything is known of the crystal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pacbed.patterns import bin_pixels

SEARCH_PIXELS = 256  # the bright region is looked for in an image of at most this edge
SMOOTHING = 0.08  # of its radius
RING_ANGLES = np.linspace(0.0, 2 * np.pi, 180, endpoint=False)


@dataclass(frozen=True)
class Outline:
    """The bright region of a pattern: a frame that a rendered pattern of the same parameters has as well.

    The region is larger than the bright-field disk where the crystal is thick, and off its centre where it is tilted;
    both follow once a rendered pattern is matched to it.

    Attributes
    ----------
    center_px : tuple of float
        Column and row (cx, cy) of its centre of area; pixel (0, 0) has its centre at (0, 0).
    radius_px : float
        Radius of the circle of equal area.
    contrast : float
        Mean intensity inside over that of the whole frame, both above the dark level.
    inside : float
        Share of the circle that lies inside the frame.
    """

    center_px: tuple[float, float]
    radius_px: float
    contrast: float
    inside: float


def find_outline(array: np.ndarray, *, dark: float | None = None) -> Outline:
    """Find the bright region, also off centre, small in a dark field, or structured inside.

    Parameters
    ----------
    array : float array, shape (y, x)
        Repaired counts, or a rendered pattern.
    dark : float, optional
        Level without electrons; by default the second percentile of the smoothed pattern.
    """
    factor = max(1, -(-max(array.shape) // SEARCH_PIXELS))
    image = bin_pixels(np.asarray(array), factor)
    radius = 0.4 * np.sqrt(image.size / np.pi)
    for _ in range(3):  # smoothing follows the size of the region
        smooth = ndimage.gaussian_filter(image, SMOOTHING * radius)
        smooth -= float(np.percentile(smooth, 2)) if dark is None else dark
        level = _bright_level(smooth)
        weight = np.clip((smooth / level - 0.35) / 0.3, 0.0, 1.0)  # a soft border: noise moves it less
        settled, radius = radius, float(np.sqrt(weight.sum() / np.pi))
        if abs(radius - settled) < 0.02 * radius:
            break
    rows, columns = weight.sum(axis=1), weight.sum(axis=0)
    cx, cy = (float(line @ np.arange(len(line)) / line.sum()) for line in (columns, rows))
    x, y = cx + radius * np.cos(RING_ANGLES), cy + radius * np.sin(RING_ANGLES)
    inside = np.mean((x > -0.5) & (x < image.shape[1] - 0.5) & (y > -0.5) & (y < image.shape[0] - 0.5))
    cx, cy = (value * factor + (factor - 1) / 2 for value in (cx, cy))
    return Outline((cx, cy), radius * factor, float(level / max(smooth.mean(), 1e-30)), float(inside))


def _bright_level(smooth: np.ndarray) -> float:
    """Mean of the pixels above half of that mean, the level of the disk."""
    level = float(smooth.max())
    for _ in range(20):
        bright = smooth[smooth > 0.5 * level]
        before, level = level, float(bright.sum() / bright.size)  # half the time of mean(), which a library asks often
        if abs(level - before) < 1e-3 * level:
            break
    return max(level, 1e-30)
