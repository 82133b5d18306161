"""A place in parameter space as a person sets it: thickness, mistilt and azimuth in the image, convergence angle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters


@dataclass(frozen=True)
class Place:
    """Crystal and beam of a candidate, and how its pattern lies on the camera.

    Attributes
    ----------
    thickness_nm, convergence_mrad : float
        Thickness [nm], semi-convergence angle [mrad].
    mistilt_mrad, azimuth_deg : float
        Mistilt [mrad] and its direction in the image, from +x (right) towards +y (down) [deg].
    ratio : float
        Misfit over the least.
    refined : bool
        A refinement ended here; else it is a point of the misfit curve.
    center_x_px, center_y_px, pixel_mrad, rotation_deg, blur_mrad, ellipse_plus_percent, ellipse_cross_percent : float
        See `PatternParameters`.
    """

    thickness_nm: float
    convergence_mrad: float
    mistilt_mrad: float
    azimuth_deg: float
    ratio: float
    refined: bool
    center_x_px: float
    center_y_px: float
    pixel_mrad: float
    rotation_deg: float
    blur_mrad: float
    ellipse_plus_percent: float
    ellipse_cross_percent: float

    @classmethod
    def of(cls, at: PatternParameters, ratio: float, *, mirrored: bool, refined: bool = False) -> Self:
        """The place of some parameters."""
        x, y = at.mistilt_in_image(mirrored=mirrored)
        return cls(
            at.thickness_nm,
            at.convergence_mrad,
            float(np.hypot(x, y)),
            float(np.rad2deg(np.arctan2(y, x)) % 360),
            ratio,
            refined,
            *at.center_px,
            at.pixel_mrad,
            at.rotation_deg,
            at.blur_mrad,
            *at.ellipse_percent,
        )

    def parameters(self, *, mirrored: bool) -> PatternParameters:
        """The parameters of the place."""
        at = PatternParameters(
            self.thickness_nm,
            (0.0, 0.0),
            (self.center_x_px, self.center_y_px),
            self.pixel_mrad,
            self.rotation_deg,
            self.convergence_mrad,
            self.blur_mrad,
            (self.ellipse_plus_percent, self.ellipse_cross_percent),
        )
        turn = np.deg2rad(self.azimuth_deg)
        vector = self.mistilt_mrad * np.array([np.cos(turn), np.sin(turn)])
        crystal = at.geometry((1, 1), mirrored=mirrored).to_crystal(vector)
        return replace(at, mistilt_mrad=(float(crystal[0]), float(crystal[1])))
