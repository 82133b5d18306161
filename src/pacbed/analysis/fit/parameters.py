"""What the pattern of a crystal depends on, and by how much a fit displaces it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer


class Displacement(NamedTuple):
    """A step away from `PatternParameters`: the eleven unknowns of a fit, in its order and in its units.

    Attributes
    ----------
    thickness_nm : float
        Added to the thickness [nm].
    mistilt_x_mrad, mistilt_y_mrad : float
        Added to the mistilt, crystal frame [mrad].
    center_x_mrad, center_y_mrad : float
        Shift of the optic axis along the image's columns and rows [mrad].
    pixel_percent : float
        Growth of the pixel, 100 times the logarithm of its ratio [%].
    rotation_deg : float
        Added to the rotation [deg].
    convergence_mrad : float
        Added to the semi-convergence angle [mrad].
    blur_mrad : float
        Added to the blur's standard deviation [mrad].
    ellipse_plus_percent, ellipse_cross_percent : float
        Added to the elliptical distortion of the image [%].
    """

    thickness_nm: float
    mistilt_x_mrad: float
    mistilt_y_mrad: float
    center_x_mrad: float
    center_y_mrad: float
    pixel_percent: float
    rotation_deg: float
    convergence_mrad: float
    blur_mrad: float
    ellipse_plus_percent: float = 0.0
    ellipse_cross_percent: float = 0.0


NAMES = Displacement._fields  # of the rows and columns of Jacobian and covariance


@dataclass(frozen=True)
class PatternParameters:
    """Crystal, beam and camera of one recorded pattern: what a refinement frees.

    Attributes
    ----------
    thickness_nm : float
        Crystalline thickness along the beam [nm].
    mistilt_mrad : tuple of float
        Shift of the incident directions (x, y) in the crystal frame [mrad].
    center_px : tuple of float
        Column and row of the optic axis in the recorded pattern; pixel (0, 0) has its centre at (0, 0).
    pixel_mrad : float
        Pixel size [mrad].
    rotation_deg : float
        Azimuth at which the crystal's +x appears in the image, from +x (right) towards +y (down) [deg].
    convergence_mrad : float
        Semi-convergence angle [mrad].
    blur_mrad : float
        Standard deviation of a Gaussian blur [mrad].
    ellipse_percent : tuple of float
        Elliptical distortion of the image, as in `Geometry` [%].
    """

    thickness_nm: float
    mistilt_mrad: tuple[float, float]
    center_px: tuple[float, float]
    pixel_mrad: float
    rotation_deg: float
    convergence_mrad: float
    blur_mrad: float
    ellipse_percent: tuple[float, float] = (0.0, 0.0)

    def moved(self, displacement: Iterable[float]) -> PatternParameters:
        """The parameters that a displacement leads to.

        Parameters
        ----------
        displacement : Displacement, or float array of shape (11,)
            In the order and the units of `Displacement`.
        """
        by = Displacement(*(float(value) for value in displacement))
        return replace(
            self,
            thickness_nm=self.thickness_nm + by.thickness_nm,
            mistilt_mrad=(self.mistilt_mrad[0] + by.mistilt_x_mrad, self.mistilt_mrad[1] + by.mistilt_y_mrad),
            center_px=(
                self.center_px[0] + by.center_x_mrad / self.pixel_mrad,
                self.center_px[1] + by.center_y_mrad / self.pixel_mrad,
            ),
            pixel_mrad=self.pixel_mrad * float(np.exp(by.pixel_percent / 100)),
            rotation_deg=self.rotation_deg + by.rotation_deg,
            convergence_mrad=self.convergence_mrad + by.convergence_mrad,
            blur_mrad=self.blur_mrad + by.blur_mrad,
            ellipse_percent=(
                self.ellipse_percent[0] + by.ellipse_plus_percent,
                self.ellipse_percent[1] + by.ellipse_cross_percent,
            ),
        )

    def geometry(self, shape: tuple[int, int], *, mirrored: bool = False) -> Geometry:
        """Where the pixels of a recorded pattern of a shape (ny, nx) lie in the diffraction plane."""
        return Geometry(shape, self.pixel_mrad, self.center_px, self.rotation_deg, mirrored, self.ellipse_percent)

    def to_image(self, vector: np.ndarray, *, mirrored: bool = False) -> np.ndarray:
        """Turn a vector (x, y) of the crystal frame into the frame of an undistorted image, shape (2,)."""
        return self.geometry((1, 1), mirrored=mirrored).to_image(vector)

    def mistilt_in_image(self, *, mirrored: bool = False) -> np.ndarray:
        """Mistilt (x to the right, y down) as the image shows it, shape (2,) [mrad]."""
        return self.to_image(np.array(self.mistilt_mrad), mirrored=mirrored)

    def differs(self, other: PatternParameters, *, nm: float, mrad: float) -> bool:
        """Whether the other is farther away in thickness [nm], or in the mistilt as the image shows it [mrad]."""
        if abs(self.thickness_nm - other.thickness_nm) > nm:
            return True
        return float(np.linalg.norm(self.mistilt_in_image() - other.mistilt_in_image())) > mrad


def render_pattern(
    renderer: Renderer, at: PatternParameters, geometry: Geometry, *, edge_mrad: float | None = None
) -> np.ndarray:
    """Render the pattern of some parameters, without detector, noise or background.

    Parameters
    ----------
    renderer : Renderer
        Renders the crystal's patterns.
    at : PatternParameters
        Crystal and beam; the place of the pixels is that of `geometry`.
    geometry : Geometry
        Pixels of the image.
    edge_mrad : float, optional
        Width of the aperture's edge [mrad]; by default the pixel.

    Returns
    -------
    float32 array, shape (y, x)
        Fraction of the beam per pixel.

    Raises
    ------
    ParameterError
        The parameters lie outside the table.
    """
    return renderer.render(
        thickness_nm=at.thickness_nm,
        convergence_mrad=at.convergence_mrad,
        mistilt_mrad=at.mistilt_mrad,
        geometry=geometry,
        blur_mrad=at.blur_mrad,
        edge_mrad=edge_mrad,
    )
