"""From a recorded pattern to a first geometry: defective pixels, the bright region, resampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pacbed.patterns import Geometry

SEARCH_PIXELS = 256  # the bright region is looked for in an image of at most this edge
SMOOTHING = 0.08  # of its radius
DEFECT_SIGMA = 8.0
DEFECT_RANGE = 0.05  # a defect also stands out by this share of the pattern's range
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


def repair(array: np.ndarray) -> tuple[np.ndarray, int]:
    """Replace hot, dead and missing pixels by the median of their neighbours.

    Parameters
    ----------
    array : float array, shape (y, x)
        Counts; not finite where the detector gave no value.

    Returns
    -------
    repaired : float32 array, shape (y, x)
    count : int
        Pixels replaced.
    """
    bad = ~np.isfinite(array)
    filled = np.where(bad, np.median(array[~bad]), array).astype(np.float32)
    middle = ndimage.median_filter(filled, size=3, mode="nearest")
    deviation = np.abs(filled - middle)
    low, high = np.percentile(filled, [5, 99.5])
    bad |= deviation > np.maximum(DEFECT_SIGMA * _noise_by_level(middle, deviation), DEFECT_RANGE * (high - low))
    return np.where(bad, middle, filled), int(bad.sum())


def _noise_by_level(level: np.ndarray, deviation: np.ndarray, steps: int = 12) -> np.ndarray:
    """Standard deviation of the noise at each pixel: counts are noisier where there are more of them."""
    edges = np.quantile(level, np.linspace(0, 1, steps + 1)[1:-1])
    group = np.searchsorted(edges, level.ravel(), side="right")
    values = deviation.ravel()
    sigma = np.array([np.quantile(values[group == k], 0.99) / 2.58 if np.any(group == k) else 0 for k in range(steps)])
    return np.asarray(np.maximum(sigma, ndimage.median_filter(sigma, 3))[group].reshape(level.shape))


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
        before, level = level, float(smooth[smooth > 0.5 * level].mean())
        if abs(level - before) < 1e-3 * level:
            break
    return max(level, 1e-30)


def bin_pixels(array: np.ndarray, factor: int) -> np.ndarray:
    """Means over squares of `factor` pixels, shape (y // factor, x // factor); what is left over is cut off."""
    ny, nx = (size // factor for size in array.shape)
    return array[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor).mean(axis=(1, 3))


def resample(array: np.ndarray, source: Geometry, target: Geometry) -> np.ndarray:
    """Look at a recorded pattern through other pixels; the background level stands where nothing was recorded.

    Parameters
    ----------
    array : float array, shape (y, x)
        Repaired counts.
    source : Geometry
        Pixels of `array`.
    target : Geometry
        Pixels wanted.

    Returns
    -------
    float32 array of the target's shape.
    """
    ratio = target.pixel_mrad / source.pixel_mrad
    smooth = ndimage.gaussian_filter(array, 0.45 * np.sqrt(ratio**2 - 1)) if ratio > 1 else array
    kx, ky = target.angles_mrad()
    seen = source.to_image(np.stack([kx.ravel(), ky.ravel()])) / source.pixel_mrad
    rows, columns = seen[1] + source.center_px[1], seen[0] + source.center_px[0]
    dark = float(np.percentile(array, 2))
    values = ndimage.map_coordinates(smooth, [rows, columns], order=1, mode="constant", cval=dark)
    return np.asarray(values.reshape(target.shape), dtype=np.float32)
