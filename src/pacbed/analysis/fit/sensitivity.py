"""How the residuals of a fit answer to each of its nine unknowns."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.absolute import AbsoluteIntensity
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
)
# Unknowns that move the pattern as a whole, so that its gradient tells what they do, and those that do more.
MOVING = ("center_x_mrad", "center_y_mrad", "pixel_percent", "rotation_deg")
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
    found = [model.residual(at), sigma * restraints.deviations(at)]
    if restraints.absolute is not None:
        found.append(sigma * restraints.absolute.shares(model, at).deviations())
    return np.concatenate(found)


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
    float array, shape (pixel + restraint, 9)
        Columns in the order and the units of `Displacement`.
    """
    best = model.solve(at)
    changes = pattern_changes(model, at, best, quick=quick)
    found = [model.projected(changes, best), sigma * _restraint_slopes(restraints, at)]
    if restraints.absolute is not None:
        found.append(sigma * _intensity_slopes(model, at, restraints.absolute))
    return np.concatenate(found)


def pattern_changes(model: ForwardModel, at: PatternParameters, best: LinearFit, *, quick: bool = False) -> np.ndarray:
    """Derivatives of the rendered pattern, up to multiples of the pattern itself.

    Parameters
    ----------
    model, at
        As for `residuals`.
    best : LinearFit
        The model's at these parameters.
    quick : bool
        Take centre, pixel size and rotation from the pattern's gradient, of which pixels as wide as its edges give a
        rough idea, instead of from differences of rendered patterns.

    Returns
    -------
    float array, shape (9, y, x)
        In the order and the units of `Displacement`.
    """
    names = RENDERED if quick else RENDERED + MOVING
    ahead = np.stack([model.render(_ahead(at, name)) for name in names])
    steps = np.array([getattr(STEPS, name) for name in names])
    differences = (ahead - best.pattern) / steps[:, None, None]
    blur = (model.pattern(best.sharp, _ahead(at, "blur_mrad")) - best.pattern) / STEPS.blur_mrad
    changes = dict(zip(names, differences, strict=True)) | {"blur_mrad": blur}
    if quick:
        changes |= _changes_of_place(model, at, best.pattern, blur)
    return np.stack([changes[name] for name in NAMES])


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
    }


def _restraint_slopes(restraints: Restraints, at: PatternParameters) -> np.ndarray:
    """Derivatives of the restraints' deviations, which are linear in the unknowns; shape (restraint, 9)."""
    here = restraints.deviations(at)
    return np.stack([restraints.deviations(at.moved(_unit(index))) - here for index in range(len(NAMES))], axis=1)


def _intensity_slopes(model: ForwardModel, at: PatternParameters, absolute: AbsoluteIntensity) -> np.ndarray:
    """Derivatives of the deviations of intensity, shape (2, 9).

    Thickness alone is looked at: the shares of the beam inside the circle hardly follow anything else.
    """
    slopes = np.zeros((2, len(NAMES)))
    here = absolute.shares(model, at).deviations()
    there = absolute.shares(model, _ahead(at, "thickness_nm")).deviations()
    slopes[:, NAMES.index("thickness_nm")] = (there - here) / STEPS.thickness_nm
    return slopes


def _ahead(at: PatternParameters, name: str) -> PatternParameters:
    """One of `STEPS` further in one unknown."""
    return at.moved(getattr(STEPS, name) * _unit(NAMES.index(name)))


def _unit(index: int) -> np.ndarray:
    return np.asarray(np.arange(len(NAMES)) == index, dtype=float)


def rms(residual: np.ndarray) -> float:
    """Root mean square of residuals, shape (pixel,)."""
    return float(np.sqrt(np.mean(residual**2)))
