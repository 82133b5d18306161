"""The bright region of a pattern: a first centre and radius, before anything is known of the crystal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pacbed.patterns import bin_pixels
from pacbed.strays import NATURAL_PEAK, fill, stray_objects

SEARCH_PIXELS = 256  # the bright region is looked for in an image of at most this edge
SMOOTHING = 0.08  # of its radius
RING_ANGLES = np.linspace(0.0, 2 * np.pi, 180, endpoint=False)
# Bright regions of parts no larger than this may be stray objects that outshine the disk [pixels of the search].
LARGEST_STRAY_PX = 9.0
# Brightest pixels that are cut off, in turn, to see the disk below a stray object [percentiles of the frame].
CAPS = (99.5, 98.0, 92.0, 80.0)
LARGER = 2.5  # the disk is so many times as wide as a stray object that outshines it
EDGE_STEP = 2.3  # least ratio of intensities just inside and just outside a disk's rim: a halo falls slowly
CONCENTRIC, HALO_LARGER = 0.2, 4.0  # so near to its middle [radii] a halo is likelier, unless it is so much wider
LEAST_LEVEL = 1.5  # of a disk, in standard deviations of the noise
UNEVEN = 3.0  # a disk's middle is no more than so many times as bright as its rim
RINGS = ((0.35, 0.55), (0.78, 0.92), (1.1, 1.25))  # in a disk, within its rim, beyond it [radii]
RIM_INSIDE = 0.5  # least share of its surroundings inside the frame
FILLED = 0.75  # least share of a disk's circle that is bright


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

    def binned(self, factor: int) -> Outline:
        """The same region in an image of squares of `factor` pixels, as `bin_pixels` makes it."""
        cx, cy = ((value - (factor - 1) / 2) / factor for value in self.center_px)
        return replace(self, center_px=(cx, cy), radius_px=self.radius_px / factor)


class _Region(NamedTuple):
    """A bright region of an image, in pixels of that image.

    Attributes
    ----------
    center : tuple of float
        Column and row.
    radius : float
        Of the circle of equal area.
    level : float
        Mean intensity of its bright pixels above the dark level.
    smooth, weight : float array, shape (y, x)
        Smoothed intensity above the dark level, and how far each pixel belongs to the region (0 to 1).
    """

    center: tuple[float, float]
    radius: float
    level: float
    smooth: np.ndarray
    weight: np.ndarray


def find_outline(array: np.ndarray, *, dark: float | None = None, used: np.ndarray | None = None) -> Outline:
    """Find the bright region, also off centre, small in a dark field, or structured inside.

    Where the dark level is not given, an object that outshines the disk and is much smaller, such as a cluster of hot
    pixels or a stray spot, does not count.

    Parameters
    ----------
    array : float array, shape (y, x)
        Repaired counts, or a rendered pattern.
    dark : float, optional
        Level without electrons; by default the second percentile of the smoothed pattern.
    used : bool array, shape (y, x), optional
        False where there is nothing to see, such as the border of a padded frame; by default all pixels count.
    """
    factor = max(1, -(-max(array.shape) // SEARCH_PIXELS))
    image = bin_pixels(np.asarray(array), factor)
    seen = None if used is None or used.all() else bin_pixels(used.astype(float), factor) > 0.99
    if seen is not None:
        image = fill(image, seen)
    region = _bright_region(image, dark, seen)
    if dark is None and _may_be_stray(region):
        region = _disk_outshone(image, region, seen) or region
    strays = None if dark is not None else _strays(image, region)
    if strays is not None:
        region = _bright_region(fill(image, ~strays), dark, seen)
    (cx, cy), radius = region.center, region.radius
    x, y = cx + radius * np.cos(RING_ANGLES), cy + radius * np.sin(RING_ANGLES)
    inside = float(np.mean((x > -0.5) & (x < image.shape[1] - 0.5) & (y > -0.5) & (y < image.shape[0] - 0.5)))
    cx, cy = (value * factor + (factor - 1) / 2 for value in (cx, cy))
    contrast = float(region.level / max(region.smooth.mean(), 1e-30))
    return Outline((cx, cy), radius * factor, contrast, inside)


def _bright_region(image: np.ndarray, dark: float | None, seen: np.ndarray | None) -> _Region:
    """The brightest region of an image; smoothing follows its size."""
    radius = 0.4 * np.sqrt(image.size / np.pi)
    for _ in range(3):
        smooth = ndimage.gaussian_filter(image, SMOOTHING * radius)
        smooth -= float(np.percentile(smooth if seen is None else smooth[seen], 2)) if dark is None else dark
        if seen is not None:
            smooth[~seen] = 0.0
        level = _bright_level(smooth)
        weight = np.clip((smooth / level - 0.35) / 0.3, 0.0, 1.0)  # a soft border: noise moves it less
        settled, radius = radius, float(np.sqrt(weight.sum() / np.pi))
        if abs(radius - settled) < 0.02 * radius:
            break
    rows, columns = weight.sum(axis=1), weight.sum(axis=0)
    cx, cy = (float(line @ np.arange(len(line)) / max(line.sum(), 1e-30)) for line in (columns, rows))
    return _Region((cx, cy), radius, level, smooth, weight)


def _may_be_stray(region: _Region) -> bool:
    """All its parts are small."""
    if region.radius > min(5 * LARGEST_STRAY_PX, 0.2 * min(region.weight.shape)):
        return False
    labels, _ = ndimage.label(region.weight > 0.5)
    sizes = np.bincount(labels.ravel())[1:]
    return bool(np.all(sizes <= np.pi * LARGEST_STRAY_PX**2))


def _disk_outshone(image: np.ndarray, brightest: _Region, seen: np.ndarray | None) -> _Region | None:
    """A disk much larger than the brightest region and below its light; None where there is none."""
    noise = 1.48 * float(np.median(np.abs(image - ndimage.gaussian_filter(image, 1.0))))
    several = ndimage.label(brightest.weight > 0.5)[1] > 1
    for percentile in CAPS:
        capped = np.minimum(image, np.percentile(image, percentile))
        if np.ptp(capped) <= 0:
            return None
        region = _bright_region(capped, None, seen)
        above = image - _dark_level(image, region)
        apart = float(np.hypot(*np.subtract(region.center, brightest.center))) / max(region.radius, 1e-30)
        halo = not several and apart < CONCENTRIC
        larger = region.radius > (HALO_LARGER if halo else LARGER) * brightest.radius
        outshone = above.max() > NATURAL_PEAK * region.level > NATURAL_PEAK * LEAST_LEVEL * noise
        if larger and outshone and _is_disk(above, region, halo=halo):
            return region
    return None


def _is_disk(above: np.ndarray, region: _Region, *, halo: bool) -> bool:
    """Tell a filled circle with a rim inside the frame from a frame full of light, scattered spots, or a halo.

    Parameters
    ----------
    above : float array, shape (y, x)
        Counts above the dark level.
    region : _Region
    halo : bool
        It may be the halo of a small disk: that falls towards its rim as it does beyond.
    """
    row, column = np.indices(above.shape)
    distance = np.hypot(column - region.center[0], row - region.center[1]) / max(region.radius, 1e-30)
    inner, rim, outside = (_within(distance, ring) for ring in RINGS)
    whole = outside.sum() > RIM_INSIDE * np.pi * (RINGS[2][1] ** 2 - RINGS[2][0] ** 2) * region.radius**2
    if not (whole and inner.any() and rim.any()) or region.weight[distance < RINGS[1][1]].mean() < FILLED:
        return False
    if region.smooth[rim].mean() < EDGE_STEP * max(region.smooth[outside].mean(), 0.0):
        return False
    middle, edge, beyond = (max(float(np.median(above[ring])), 0.0) for ring in (inner, rim, outside))
    return not halo or (middle < UNEVEN * edge and edge**2 > EDGE_STEP * max(edge, middle) * beyond)


def _within(distance: np.ndarray, ring: tuple[float, float]) -> np.ndarray:
    return np.asarray((distance > ring[0]) & (distance < ring[1]))


def _strays(image: np.ndarray, region: _Region) -> np.ndarray | None:
    """Pixels of stray objects, shape (y, x); None where there are none."""
    part = region.weight > 0.5
    if not part.any():
        return None
    return stray_objects(image, part, level=region.level, dark=_dark_level(image, region))


def _dark_level(image: np.ndarray, region: _Region) -> float:
    """Level that was taken off an image for its region."""
    return float(np.median(image[region.weight == 0])) if np.any(region.weight == 0) else float(image.min())


def _bright_level(smooth: np.ndarray) -> float:
    """Mean of the pixels above half of that mean, the level of the disk."""
    level = float(smooth.max())
    for _ in range(20):
        bright = smooth[smooth > 0.5 * level]
        before, level = (
            level,
            float(bright.sum() / max(bright.size, 1)),
        )  # half the time of mean(), which a library asks often
        if abs(level - before) < 1e-3 * level:
            break
    return max(level, 1e-30)
