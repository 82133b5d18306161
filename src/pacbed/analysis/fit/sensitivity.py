"""How the residuals of a fit answer to each of its nine unknowns."""

from __future__ import annotations

import numpy as np

from pacbed.analysis.fit.forward import ForwardModel
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
    return np.concatenate([model.residual(at), sigma * restraints.deviations(at)])


def jacobian(
    model: ForwardModel, at: PatternParameters, restraints: Restraints, sigma: float, *, central: bool = False
) -> np.ndarray:
    """Derivatives of the residuals by finite differences.

    Gain and background are solved for on both sides of each difference, so the derivatives are those of the projected
    residual, at a fit's free gain and background.

    Parameters
    ----------
    model, at, restraints, sigma
        As for `residuals`.
    central : bool
        Differences on both sides instead of ahead alone.

    Returns
    -------
    float array, shape (pixel + restraint, 9)
        Columns in the order and the units of `Displacement`.
    """
    columns = []
    origin = None if central else residuals(model, at, restraints, sigma)
    for index, (name, step) in enumerate(zip(NAMES, STEPS, strict=True)):
        ahead = residuals(model, at.moved(step * _unit(index)), restraints, sigma)
        if origin is None:
            back = min(step, at.blur_mrad) if name == "blur_mrad" else step
            columns.append(
                (ahead - residuals(model, at.moved(-back * _unit(index)), restraints, sigma)) / (step + back)
            )
        else:
            columns.append((ahead - origin) / step)
    return np.stack(columns, axis=1)


def _unit(index: int) -> np.ndarray:
    return np.asarray(np.arange(len(NAMES)) == index, dtype=float)


def rms(residual: np.ndarray) -> float:
    """Root mean square of residuals, shape (pixel,)."""
    return float(np.sqrt(np.mean(residual**2)))
