"""How wrong a fitted thickness is when the pattern comes from another model than the fit's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pacbed.analysis.fit.cutout import FITTED_RADIUS, Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
from pacbed.analysis.fit.refinement import MIDDLE, Fit, fit
from pacbed.analysis.fit.restraints import Restraints
from pacbed.bundle.meta import PriorWidths
from pacbed.outline import find_outline
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer

CUTOUT_PIXELS = MIDDLE.pixels  # the finest fit changes a bias by less than 0.01 nm
STEPS = 10  # 6 are enough for what is counted, but not for a crystal without absorption
PIXELS = 84  # of the camera; the fitted circle fits in even where scattering widens the bright region
ROTATION_DEG = 10.0  # nothing of the camera lines up with the crystal
BLUR_MRAD = 0.4  # of the recorded pattern, so that the fit may find more or less


@dataclass(frozen=True)
class Camera:
    """One convergence angle as a camera sees it, some `CUTOUT_PIXELS` across the circle that is fitted.

    Attributes
    ----------
    convergence_mrad : float
        Convergence semi-angle [mrad].
    """

    convergence_mrad: float

    @property
    def pixel_mrad(self) -> float:
        """Pixel size [mrad]."""
        return 2 * FITTED_RADIUS * self.convergence_mrad / CUTOUT_PIXELS

    @property
    def geometry(self) -> Geometry:
        """Pixels, a little off centre."""
        middle = (PIXELS - 1) / 2
        return Geometry((PIXELS, PIXELS), self.pixel_mrad, (middle + 0.3, middle - 0.4), ROTATION_DEG)

    def truth(self, thickness_nm: float, mistilt_mrad: tuple[float, float]) -> PatternParameters:
        """Parameters of a recorded pattern."""
        return PatternParameters(
            thickness_nm=thickness_nm,
            mistilt_mrad=mistilt_mrad,
            center_px=self.geometry.center_px,
            pixel_mrad=self.pixel_mrad,
            rotation_deg=ROTATION_DEG,
            convergence_mrad=self.convergence_mrad,
            blur_mrad=BLUR_MRAD,
        )

    def record(self, renderer: Renderer, at: PatternParameters) -> np.ndarray:
        """Pattern without noise, shape (y, x) [fraction of the beam]."""
        return render_pattern(renderer, at, self.geometry)


def refit(model: Renderer, image: np.ndarray, truth: PatternParameters) -> Fit:
    """Fit a pattern as a prediction does, from its true parameters.

    Mistilt, centre, pixel size, rotation, ellipse, convergence angle, blur, gain and background are free; the
    convergence angle has the bundle's prior, the ellipse that of every camera.

    Parameters
    ----------
    model : Renderer
        Renders the patterns of the fit.
    image : float array, shape (y, x)
        The pattern.
    truth : PatternParameters
        What it was recorded with.

    Returns
    -------
    Fit
        Where it ended: the thickness minus the true one is the bias.
    """
    cutout = Cutout.around(image, find_outline(image), pixels=CUTOUT_PIXELS)
    width = PriorWidths().convergence_relative * truth.convergence_mrad
    return fit(ForwardModel(model, cutout), truth, Restraints(truth.convergence_mrad, width), steps=STEPS)


def biases_nm(
    model: Renderer, camera: Camera, record: Callable[[PatternParameters], np.ndarray], truths: list[PatternParameters]
) -> list[float]:
    """Fitted minus true thickness of several patterns [nm].

    Parameters
    ----------
    model : Renderer
        Renders the patterns of the fit.
    camera : Camera
    record : callable
        Takes parameters, returns the pattern that another model makes of them, shape (y, x).
    truths : list of PatternParameters
    """
    return [refit(model, record(at), at).parameters.thickness_nm - at.thickness_nm for at in truths]
