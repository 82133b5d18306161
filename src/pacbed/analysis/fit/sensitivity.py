"""How the residuals of a fit answer to each of its eleven unknowns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.forward import ForwardModel, LinearFit
from pacbed.analysis.fit.parameters import NAMES, Displacement, PatternParameters
from pacbed.analysis.fit.restraints import Restraints

# Of the finite differences: finer than fringes, wider than the rounding of a rendered pattern.
STEPS = Displacement(
    thickness_nm=0.1,
    mistilt_x_mrad=0.05,
    mistilt_y_mrad=0.05,
    center_x_mrad=0.05,
    center_y_mrad=0.05,
    pixel_percent=0.2,
    rotation_deg=0.2,
    convergence_mrad=0.05,
    blur_mrad=0.05,
    ellipse_plus_percent=0.2,
    ellipse_cross_percent=0.2,
)
# Unknowns that move the pattern as a whole, so that its gradient tells what they do, and those that do more.
MOVING = (
    *("center_x_mrad", "center_y_mrad", "pixel_percent", "rotation_deg"),
    *("ellipse_plus_percent", "ellipse_cross_percent"),
)
RENDERED = ("thickness_nm", "mistilt_x_mrad", "mistilt_y_mrad", "convergence_mrad")
GRADIENT = np.array([1, -8, 0, 8, -1]) / 12  # derivative along an axis, exact for polynomials of the fourth degree


def residuals(model: ForwardModel, at: PatternParameters, restraints: Restraints, sigma: float) -> np.ndarray:
    """What least squares makes small, shape (pixel + restraint,).

    Parameters
    ----------
    model : ForwardModel
    at : PatternParameters
    restraints : Restraints
    sigma : float
        Standard deviation of the pattern's residuals, in their unit: a restraint counts as one pixel that is off by it.

    Returns
    -------
    float array, shape (pixel + restraint,)
        Residuals over the mask, then the restraints' deviations times `sigma`.
    """
    return np.concatenate([model.residual(at), sigma * restraint_deviations(model, at, restraints)])


def jacobian(
    model: ForwardModel, at: PatternParameters, restraints: Restraints, sigma: float, *, quick: bool = False
) -> np.ndarray:
    """Derivatives of the residuals, at a fit's free gain and background.

    Parameters
    ----------
    model, at, restraints, sigma
        As for `residuals`.
    quick : bool
        See `pattern_changes`. A fit then takes half the time and ends up to half an error bar from the minimum.

    Returns
    -------
    float array, shape (pixel + restraint, 11)
        Columns in the order and the units of `Displacement`.
    """
    best = model.solve(at)
    changes = pattern_changes(model, at, best, quick=quick)
    return np.concatenate([model.projected(changes, best), sigma * restraint_slopes(model, at, restraints)])


def pattern_changes(
    model: ForwardModel,
    at: PatternParameters,
    best: LinearFit,
    *,
    names: Sequence[str] = NAMES,
    quick: bool = False,
) -> np.ndarray:
    """Derivatives of the rendered pattern, up to multiples of the pattern itself.

    Parameters
    ----------
    model, at
        As for `residuals`.
    best : LinearFit
        The model's at these parameters.
    names : sequence of str
        Unknowns that are asked for.
    quick : bool
        Take centre, pixel size, rotation and ellipse from the pattern's gradient, of which pixels as wide as its edges
        give a rough idea, instead of from differences of rendered patterns.

    Returns
    -------
    float array, shape (name, y, x)
        In the order of `names` and the units of `Displacement`.
    """
    rendered = [name for name in (RENDERED if quick else RENDERED + MOVING) if name in names]
    ahead = np.stack([model.render(_ahead(at, name)) for name in rendered])
    steps = np.array([getattr(STEPS, name) for name in rendered])
    differences = (ahead - best.pattern) / steps[:, None, None]
    blur = (model.pattern(best.sharp, _ahead(at, "blur_mrad")) - best.pattern) / STEPS.blur_mrad
    changes = dict(zip(rendered, differences, strict=True)) | {"blur_mrad": blur}
    if quick:
        changes |= _changes_of_place(model, at, best.pattern, blur)
    return np.stack([changes[name] for name in names])


def _changes_of_place(
    model: ForwardModel, at: PatternParameters, pattern: np.ndarray, blur: np.ndarray
) -> dict[str, np.ndarray]:
    """Derivatives with respect to `MOVING`: the gradient, times how far each pixel moves.

    A larger pixel has less blur as well, and a wider edge of the aperture, which is left out.

    Parameters
    ----------
    model, at
        As for `residuals`.
    pattern, blur : float array, shape (y, x)
        The rendered pattern, and its derivative with respect to the blur [1/mrad].
    """
    geometry = model.cutout.geometry(at, mirrored=model.mirrored)
    down, right = (ndimage.correlate1d(pattern, GRADIENT, axis=axis, mode="nearest") for axis in (0, 1))
    row, column = np.indices(geometry.shape)
    x, y = column - geometry.center_px[0], row - geometry.center_px[1]
    return {
        "center_x_mrad": -right / geometry.pixel_mrad,
        "center_y_mrad": -down / geometry.pixel_mrad,
        "pixel_percent": (right * x + down * y - at.blur_mrad * blur) / 100,
        "rotation_deg": np.deg2rad(right * y - down * x),
        "ellipse_plus_percent": (down * y - right * x) / 100,
        "ellipse_cross_percent": -(right * y + down * x) / 100,
    }


def restraint_deviations(model: ForwardModel, at: PatternParameters, restraints: Restraints) -> np.ndarray:
    """Deviations of parameters and, where the beam is known, of intensity, in standard deviations; (restraint,)."""
    found = restraints.deviations(at)
    if restraints.absolute is None:
        return found
    return np.concatenate([found, restraints.absolute.shares(model, at).deviations()])


def restraint_slopes(model: ForwardModel, at: PatternParameters, restraints: Restraints) -> np.ndarray:
    """Derivatives of `restraint_deviations`, shape (restraint, 11).

    Those of parameters are linear in the unknowns. Of the shares of the beam inside the circle thickness alone is
    looked at: they hardly follow anything else.
    """
    here = restraints.deviations(at)
    slopes = np.stack([restraints.deviations(at.moved(_unit(index))) - here for index in range(len(NAMES))], axis=1)
    if restraints.absolute is None:
        return slopes
    shares, ahead = (restraints.absolute.shares(model, one).deviations() for one in (at, _ahead(at, "thickness_nm")))
    by_thickness = (ahead - shares) / STEPS.thickness_nm
    return np.concatenate([slopes, np.outer(by_thickness, _unit(NAMES.index("thickness_nm")))])


def _ahead(at: PatternParameters, name: str) -> PatternParameters:
    """One of `STEPS` further in one unknown."""
    return at.moved(getattr(STEPS, name) * _unit(NAMES.index(name)))


def _unit(index: int) -> np.ndarray:
    return np.asarray(np.arange(len(NAMES)) == index, dtype=float)


def rms(residual: np.ndarray) -> float:
    """Root mean square of residuals, shape (pixel,)."""
    return float(np.sqrt(np.mean(residual**2)))
