"""The part of a recorded pattern that a fit compares: cut out around the bright region, binned, scaled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.outline import Outline
from pacbed.patterns import Geometry, bin_pixels
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS

LEAST_SHARE = 0.5  # of a coarse pixel that must have been recorded well
FITTED_RADIUS = 1.35  # of the circle that is fitted, in units of the bright region's radius


@dataclass(frozen=True)
class Cutout:
    """A circle of a recorded pattern, on coarser pixels.

    Attributes
    ----------
    values : float array, shape (y, x)
        Means over squares of `factor` recorded pixels, dark level 0, bright level about 1.
    mask : bool array, shape (y, x)
        Pixels that count.
    factor : int
        Recorded pixels per edge of a pixel of the cut-out.
    origin_px : tuple of int
        Column and row of the first recorded pixel.
    background : float array, shape (1 + Gaussian, y, x)
        The smooth background's shapes: a constant, then one Gaussian for each of `BACKGROUND_WIDTHS`.
    dark, bright : float
        What became 0 and 1 of `values` [counts].
    """

    values: np.ndarray
    mask: np.ndarray
    factor: int
    origin_px: tuple[int, int]
    background: np.ndarray
    dark: float = 0.0
    bright: float = 1.0

    @property
    def zero(self) -> float:
        """What zero counts are in `values`."""
        return -self.dark / (self.bright - self.dark)

    @classmethod
    def around(
        cls,
        array: np.ndarray,
        outline: Outline,
        *,
        pixels: int,
        used: np.ndarray | None = None,
        reach: float = FITTED_RADIUS,
    ) -> Cutout:
        """Cut out the circle around a bright region.

        Parameters
        ----------
        array : float array, shape (y, x)
            Repaired counts.
        outline : Outline
            Bright region.
        pixels : int
            Pixels across the circle, as nearly as whole binning factors allow.
        used : bool array, shape (y, x), optional
            Recorded pixels that count, by default all: coarser ones are means over these, and count themselves where
            they are half of it or more.
        reach : float
            Radius of the circle in units of the bright region's.
        """
        center, radius = outline.center_px, outline.radius_px
        half = reach * radius
        factor = max(1, round(2 * half / pixels))
        first = [max(0, int(np.floor(c - half))) for c in center]
        last = [min(n, int(np.ceil(c + half)) + 1) for c, n in zip(center, array.shape[::-1], strict=True)]
        window = (slice(first[1], last[1]), slice(first[0], last[0]))
        cut = array[window].astype(float)
        counting = np.ones(cut.shape, dtype=bool) if used is None else used[window]
        dark, bright = np.percentile(cut[counting] if counting.any() else cut, [1, 98])
        # In a frame of single electrons both levels are that without any.
        span = bright - dark if bright > dark else max(float(cut.max()) - dark, 1e-30)
        values = bin_pixels(cut, factor)
        share = bin_pixels(counting.astype(float), factor)
        if not counting.all():
            recorded = bin_pixels(np.where(counting, cut, 0.0), factor) / np.maximum(share, 1e-30)
            values = np.where(share > 0, recorded, values)
        values = (values - dark) / span
        origin = (first[0], first[1])
        distance = _distance(values.shape, factor, origin, outline)
        counted = (distance <= reach) & (share >= LEAST_SHARE)
        return cls(values, counted, factor, origin, _shapes(distance), float(dark), float(dark + span))

    @classmethod
    def again(
        cls, values: np.ndarray, mask: np.ndarray, factor: int, origin_px: tuple[int, int], outline: Outline, *,
        dark: float, bright: float,
    ) -> Cutout:  # fmt: skip
        """A cut-out that was kept without its background's shapes; see `Cutout` and `around` for the arguments."""
        shapes = _shapes(_distance(values.shape, factor, origin_px, outline))
        return cls(values, mask, factor, origin_px, shapes, dark, bright)

    def geometry(self, at: PatternParameters, *, mirrored: bool) -> Geometry:
        """Pixels of the cut-out when the recorded pattern has the given parameters."""
        center = [
            (c - o - (self.factor - 1) / 2) / self.factor for c, o in zip(at.center_px, self.origin_px, strict=True)
        ]
        here = replace(at, pixel_mrad=at.pixel_mrad * self.factor, center_px=(center[0], center[1]))
        return here.geometry(self.values.shape, mirrored=mirrored)


def _distance(shape: tuple[int, ...], factor: int, origin_px: tuple[int, int], outline: Outline) -> np.ndarray:
    """Distance of coarse pixels from the middle of the bright region, in units of its radius; shape (y, x)."""
    row, column = np.indices(shape) * factor + (factor - 1) / 2
    (x, y), center = origin_px, outline.center_px
    return np.asarray(np.hypot(column + x - center[0], row + y - center[1]) / outline.radius_px)


def _shapes(distance: np.ndarray) -> np.ndarray:
    """Shapes of the background over distances of shape (y, x): (1 + Gaussian, y, x)."""
    return np.stack([np.ones_like(distance), *(np.exp(-0.5 * (distance / width) ** 2) for width in BACKGROUND_WIDTHS)])
