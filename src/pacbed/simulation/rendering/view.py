"""What the patterns of a request share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from pacbed.patterns import Geometry


@dataclass(frozen=True)
class View:
    """All that a pattern depends on besides crystal, thickness and convergence angle.

    Attributes
    ----------
    geometry : Geometry
        Pixels of the image.
    mistilt_mrad : ndarray, shape (2,)
        Shift of the incident directions (x, y) in the crystal frame [mrad].
    blur_mrad : float
        Standard deviation of a Gaussian blur [mrad].
    edge_mrad : float
        Width of the aperture edge [mrad].
    """

    geometry: Geometry
    mistilt_mrad: np.ndarray
    blur_mrad: float
    edge_mrad: float

    def blurred(self, more_mrad: float) -> View:
        """The same with another Gaussian blur on top [mrad]."""
        return replace(self, blur_mrad=float(np.hypot(self.blur_mrad, more_mrad)))

    def blur(self, images: np.ndarray) -> None:
        """Blur images in place, shape (..., ny, nx)."""
        if self.blur_mrad > 0:
            sigma = self.blur_mrad / self.geometry.pixel_mrad
            gaussian_filter(images, sigma, axes=(-2, -1), mode="nearest", output=images)
