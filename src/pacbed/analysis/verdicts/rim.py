"""What speaks against a result because of the disk's rim: a sharpened picture overshoots on both sides of it."""

from __future__ import annotations

import numpy as np

from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.verdicts.findings import Findings, Severity

MOST_OVERSHOOT = 0.01  # of the disk's level; counted patterns stay below 0.001, sharpened ones that mislead above 0.015
WIDTHS = (0.04, 0.08, 0.15)  # of an overshoot, in radii of the disk
RING = (0.3, 1.3)  # where a ring begins and ends beside the rim, in these widths
INNER = -0.1  # further in than that many radii from the rim the disk's level is taken
NOISE_SIGMA = 2.0  # standard deviations by which noise may raise a ring's mean
LEAST_PIXELS = 12  # of a ring


def judge_rim(findings: Findings, refinement: Refinement) -> None:
    """Whether the disk's rim is steeper than a camera makes it.

    Parameters
    ----------
    findings : Findings
        Receives the reason.
    refinement : Refinement
        The fit.
    """
    size = rim_overshoot(refinement.model, refinement.best.parameters)
    if size > MOST_OVERSHOOT:
        findings.add(
            Severity.DOUBT,
            f"the picture overshoots its fit along the disk's rim by {100 * size:.0f} % of the disk's level, brighter "
            "inside and darker outside: it was sharpened",
        )


def rim_overshoot(model: ForwardModel, at: PatternParameters) -> float:
    """How far a picture is brighter just inside the bright-field disk's rim and darker just outside it than its fit.

    A rim that is not where the fit has it, or a smooth background, gives both rings one sign; a tail of the camera
    makes the outer ring brighter. Both rings count as means over all azimuths, of which the smaller is taken, beyond
    what noise may make of it.

    Parameters
    ----------
    model : ForwardModel
    at : PatternParameters
        Where the fit ended.

    Returns
    -------
    float
        Of the disk's level, 0 or more.
    """
    cutout, best = model.cutout, model.solve(at)
    angle = np.hypot(*cutout.geometry(at, mirrored=model.mirrored).angles_mrad())[cutout.mask]
    beyond = angle / at.convergence_mrad - 1
    disk = beyond < INNER
    if not disk.any():
        return 0.0
    level = float(best.coefficients[0] * best.pattern[cutout.mask][disk].mean())
    near, far = RING
    sizes = [0.0]
    for width in WIDTHS:
        inside = best.residual[(beyond > -far * width) & (beyond < -near * width)]
        outside = best.residual[(beyond > near * width) & (beyond < far * width)]
        if min(inside.size, outside.size) >= LEAST_PIXELS:
            sizes.append(min(_surely(inside), _surely(-outside)))
    return max(sizes) / level if level > 0 else 0.0


def _surely(residual: np.ndarray) -> float:
    """Mean of residuals less what their spread may add to it; shape (pixel,)."""
    return float(residual.mean() - NOISE_SIGMA * residual.std() / np.sqrt(residual.size))
