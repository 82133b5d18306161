"""The error to be expected of one pattern that has not been recorded: of this fit, and the smallest possible.

With the projected derivatives D of the pattern (`pacbed.analysis.fit.sensitivity`: gain, constant and background are
solved for), the restraints' derivatives Q and the variance V of each pixel, the fit, which gives every pixel the same
weight, minimises |r|² + σ² |Q x|² and has the covariance

    C = A (Dᵀ V D + σ⁴ Qᵀ Q) A,    A = (Dᵀ D + σ² Qᵀ Q)⁻¹,    σ² the mean of V

(restraints that miss by what they state; N. R. Draper, H. Smith, Applied Regression Analysis, 3rd ed. (1998), ch. 9).
No method has less than the Cramér-Rao bound C = (Dᵀ V⁻¹ D + Qᵀ Q)⁻¹, with D projected in the metric V⁻¹
(`pacbed.evaluation.floor`). Both are local: a fit that ends at another fringe is not in them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.cutout import FITTED_RADIUS, Cutout
from pacbed.analysis.fit.forward import ForwardModel, LinearFit
from pacbed.analysis.fit.parameters import NAMES, PatternParameters, render_pattern
from pacbed.analysis.fit.refinement import FINE
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.fit.sensitivity import pattern_changes, restraint_slopes
from pacbed.evaluation.floor import smallest_covariance
from pacbed.evaluation.noise import BOUND_READOUT
from pacbed.outline import find_outline
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS
from pacbed.simulation.rendering.renderer import Renderer

FRAME_PIXELS, CIRCLE_PIXELS = 128, 72  # along the edge of the frame, and across the circle that is fitted
# ASSUME: patterns are blurred by 0.3 mrad, and each Gaussian of the background is 5 % of the pattern's maximum high (an
# estimate).
BLUR_MRAD, BACKGROUND_SHARE = 0.3, 0.05


class ExpectedError(NamedTuple):
    """One standard deviation; infinite where the pattern does not tell.

    Attributes
    ----------
    thickness_nm : float
        Of this package's fit [nm].
    mistilt_mrad : float
        Root mean square length of the error of the mistilt vector, as the image shows it [mrad].
    smallest_thickness_nm, smallest_mistilt_mrad : float
        The Cramér-Rao bounds of both.
    """

    thickness_nm: float
    mistilt_mrad: float
    smallest_thickness_nm: float
    smallest_mistilt_mrad: float


def pixel_for(convergence_mrad: float) -> float:
    """Pixel of a frame that shows the pattern of a convergence angle as cameras usually do [mrad]."""
    return 2 * FITTED_RADIUS * convergence_mrad / CIRCLE_PIXELS


def centred(
    thickness_nm: float, convergence_mrad: float, mistilt_mrad: tuple[float, float] = (0.0, 0.0)
) -> PatternParameters:
    """A pattern in the middle of such a frame, not turned [nm, mrad]."""
    middle = (FRAME_PIXELS - 1) / 2
    pixel = pixel_for(convergence_mrad)
    return PatternParameters(thickness_nm, mistilt_mrad, (middle, middle), pixel, 0.0, convergence_mrad, BLUR_MRAD)


def expected_counts(renderer: Renderer, at: PatternParameters, electrons: float) -> np.ndarray:
    """Mean counts of a pattern with its background.

    Parameters
    ----------
    renderer : Renderer
    at : PatternParameters
    electrons : float
        In the beam; those of the background come on top.

    Returns
    -------
    float array, shape (y, x)
        Electrons.
    """
    geometry = at.geometry((FRAME_PIXELS, FRAME_PIXELS))
    image = render_pattern(renderer, at, geometry).astype(float)
    radii = np.hypot(*geometry.angles_mrad()) / at.convergence_mrad
    height = BACKGROUND_SHARE * image.max()
    return np.asarray(
        electrons * (image + sum(height * np.exp(-0.5 * (radii / width) ** 2) for width in BACKGROUND_WIDTHS))
    )


def expected_error(
    renderer: Renderer, at: PatternParameters, electrons: float, restraints: Restraints
) -> ExpectedError:
    """Errors of thickness and mistilt from the noise of counted electrons, with all that a fit frees.

    Parameters
    ----------
    renderer : Renderer
    at : PatternParameters
        As from `centred`.
    electrons : float
        In the beam.
    restraints : Restraints
        Of the fit, about the true values.
    """
    counts = expected_counts(renderer, at, electrons)
    cutout = Cutout.around(counts, find_outline(counts), pixels=FINE.pixels)
    model = ForwardModel(renderer, cutout)
    span = cutout.bright - cutout.dark
    mean = np.maximum(cutout.values * span + cutout.dark, 0.0)
    std = np.sqrt(mean + BOUND_READOUT**2) / (cutout.factor * span)
    best = model.solve(at)
    changes = pattern_changes(model, at, best)
    slopes = restraint_slopes(model, at, restraints)
    fitted = _errors(at, _covariance_of_fit(model.projected(changes, best), std[cutout.mask] ** 2, slopes))
    smallest = _errors(at, _smallest(model.seeing(cutout, 1 / std), best, changes, slopes))
    return ExpectedError(*fitted, *smallest)


def _covariance_of_fit(data: np.ndarray, variance: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """C of the fit, shape (11, 11); derivatives `data` (pixel, 11), `variance` (pixel,), `slopes` (restraint, 11)."""
    mean, known = float(variance.mean()), slopes.T @ slopes
    inverse = smallest_covariance(data.T @ data + mean * known)
    lost = ~np.isfinite(np.diag(inverse))
    inverse[lost, lost] = 0.0
    covariance = inverse @ (data.T @ (variance[:, None] * data) + mean**2 * known) @ inverse
    covariance[lost, lost] = np.inf
    return np.asarray(covariance)


def _smallest(weighted: ForwardModel, best: LinearFit, changes: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """The Cramér-Rao bound, shape (11, 11), of a model whose residuals are in standard deviations."""
    data = weighted.projected(changes, best)
    return smallest_covariance(data.T @ data + slopes.T @ slopes)


def _errors(at: PatternParameters, covariance: np.ndarray) -> tuple[float, float]:
    """Standard deviation of the thickness, and root mean square length of the mistilt's error in the image."""
    std = np.sqrt(np.diag(covariance))
    names = ("mistilt_x_mrad", "mistilt_y_mrad", "rotation_deg")
    chosen = [NAMES.index(name) for name in names]
    thickness = float(std[NAMES.index("thickness_nm")])
    if not np.isfinite(std[chosen]).all():
        return thickness, float("inf")
    x, y = at.mistilt_in_image()
    # The rotation's error turns the vector that the image shows.
    slopes = np.array([[1.0, 0.0, -np.deg2rad(1.0) * y], [0.0, 1.0, np.deg2rad(1.0) * x]])
    return thickness, float(np.sqrt(np.trace(slopes @ covariance[np.ix_(chosen, chosen)] @ slopes.T)))
