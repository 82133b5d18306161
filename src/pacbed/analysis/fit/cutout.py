"""The part of a recorded pattern that a fit compares: cut out around the bright region, binned, scaled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.outline import Outline
from pacbed.patterns import Geometry, bin_pixels
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS

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

    @classmethod
    def around(cls, array: np.ndarray, outline: Outline, *, pixels: int, reach: float = FITTED_RADIUS) -> Cutout:
        """Cut out the circle around a bright region.

        Parameters
        ----------
        array : float array, shape (y, x)
            Repaired counts.
        outline : Outline
            Bright region.
        pixels : int
            Pixels across the circle, as nearly as whole binning factors allow.
        reach : float
            Radius of the circle in units of the bright region's.
        """
        center, radius = outline.center_px, outline.radius_px
        half = reach * radius
        factor = max(1, round(2 * half / pixels))
        first = [max(0, int(np.floor(c - half))) for c in center]
        last = [min(n, int(np.ceil(c + half)) + 1) for c, n in zip(center, array.shape[::-1], strict=True)]
        cut = array[first[1] : last[1], first[0] : last[0]].astype(float)
        dark, bright = np.percentile(cut, [1, 98])
        values = (bin_pixels(cut, factor) - dark) / max(bright - dark, 1e-30)
        row, column = np.indices(values.shape) * factor + (factor - 1) / 2
        distance = np.hypot(column + first[0] - center[0], row + first[1] - center[1]) / radius
        shapes = [np.ones_like(values), *(np.exp(-0.5 * (distance / width) ** 2) for width in BACKGROUND_WIDTHS)]
        levels = float(dark), float(bright)
        return cls(values, distance <= reach, factor, (first[0], first[1]), np.stack(shapes), *levels)

    def geometry(self, at: PatternParameters, *, mirrored: bool) -> Geometry:
        """Pixels of the cut-out when the recorded pattern has the given parameters."""
        center = [
            (c - o - (self.factor - 1) / 2) / self.factor for c, o in zip(at.center_px, self.origin_px, strict=True)
        ]
        return Geometry(
            self.values.shape, at.pixel_mrad * self.factor, (center[0], center[1]), at.rotation_deg, mirrored
        )
