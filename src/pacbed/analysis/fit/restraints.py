"""Restraints of a fit: what is known of angle, pixel size and intensity from outside the pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.analysis.fit.absolute import AbsoluteIntensity
from pacbed.analysis.fit.parameters import PatternParameters


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
        if self.radius_px is not None:
            found.append((at.convergence_mrad / (at.pixel_mrad * self.radius_px) - 1) / self.radius_relative)
        return np.array(found)
