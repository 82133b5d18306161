"""Restraints of a fit: what is known of angle, pixel size, ellipse and intensity from outside the pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.analysis.fit.absolute import AbsoluteIntensity
from pacbed.analysis.fit.parameters import PatternParameters

# ASSUME: projectors and energy filters distort a diffraction pattern elliptically by so much (measured on published
# patterns: ratios of the axes of 1.02 for SrTiO3, up to 1.055 for rutile).
ELLIPSE_PERCENT = 1.5


@dataclass(frozen=True)
class Restraints:
    """Gaussian knowledge from outside the pattern; a width of None leaves the parameter free.

    Attributes
    ----------
    convergence_mrad : float
        Nominal semi-convergence angle [mrad]. It settles the size of everything where disks do not overlap.
    convergence_std_mrad : float or None
        Its standard deviation [mrad].
    pixel_mrad : float or None
        Calibrated pixel size [mrad].
    pixel_relative : float or None
        Its standard deviation over its value.
    ellipse_percent : tuple of float
        Elliptical distortion of the image, as in `Geometry` [%].
    ellipse_std_percent : float or None
        Standard deviation of each of its two parts [%].
    radius_px : float or None
        Radius of the disk of a vacuum pattern, the convergence angle over the pixel size [pixels].
    radius_relative : float
        Its standard deviation over its value.
    absolute : AbsoluteIntensity or None
        The beam behind the pattern.
    """

    convergence_mrad: float
    convergence_std_mrad: float | None = None
    pixel_mrad: float | None = None
    pixel_relative: float | None = None
    ellipse_percent: tuple[float, float] = (0.0, 0.0)
    ellipse_std_percent: float | None = ELLIPSE_PERCENT
    radius_px: float | None = None
    radius_relative: float = 0.0
    absolute: AbsoluteIntensity | None = None

    def deviations(self, at: PatternParameters) -> np.ndarray:
        """Deviations in units of their standard deviations, one for each parameter restrained, shape (restraint,)."""
        found = []
        if self.convergence_std_mrad is not None:
            found.append((at.convergence_mrad - self.convergence_mrad) / self.convergence_std_mrad)
        if self.pixel_mrad is not None and self.pixel_relative is not None:
            found.append(np.log(at.pixel_mrad / self.pixel_mrad) / self.pixel_relative)
        if self.ellipse_std_percent is not None:
            pairs = zip(at.ellipse_percent, self.ellipse_percent, strict=True)
            found += [(value - known) / self.ellipse_std_percent for value, known in pairs]
        if self.radius_px is not None:
            found.append((at.convergence_mrad / (at.pixel_mrad * self.radius_px) - 1) / self.radius_relative)
        return np.array(found)
