"""How far a fit ends from the bottom that one without its short cuts finds."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from pacbed.analysis.attempts.refining import restraints_of
from pacbed.analysis.fit.limits import SCALES, bounds
from pacbed.analysis.fit.sensitivity import residuals, rms
from pacbed.analysis.predict import Analysis

# SciPy steps by 6e-6 of an unknown at zero: units so large make them finer than fringes, wider than rounding.
UNIT = 2e3 * np.array(SCALES)
EVALUATIONS = 60  # of the Jacobian, each of 22 rendered patterns


def shift_to_the_bottom(found: Analysis) -> float:
    """What the thickness moves by over its error bar when least squares go on from an answer without short cuts.

    Every derivative is a central difference of rendered patterns, and the fit ends where nothing changes any more,
    while that of a prediction takes some derivatives from image gradients and stops earlier.

    Parameters
    ----------
    found : Analysis
        A refined answer.
    """
    model, start = found.model, found.parameters
    restraints = restraints_of(found.ready)
    sigma = rms(model.residual(start))
    low, high = (np.array(one) / UNIT for one in bounds(model, start))
    end = optimize.least_squares(
        lambda vector: residuals(model, start.moved(vector * UNIT), restraints, sigma),
        np.zeros(len(UNIT)),
        "3-point",
        bounds=(np.minimum(low, -1e-9), np.maximum(high, 1e-9)),
        max_nfev=EVALUATIONS,
        ftol=1e-12,
        xtol=1e-12,
        gtol=1e-12,
    )
    thickness = found.result.thickness_nm
    return abs(start.moved(end.x * UNIT).thickness_nm - start.thickness_nm) / float(thickness.std)
