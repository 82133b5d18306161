"""What speaks against a result because of the picture: how it was recorded, what is left of it, what it can show."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.cutout import FITTED_RADIUS
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.options import Conditions
from pacbed.analysis.picture.examine import Picture
from pacbed.analysis.result import ThicknessEstimate
from pacbed.analysis.verdicts.findings import Findings, Severity
from pacbed.analysis.verdicts.processing import judge_processing
from pacbed.bundle.meta import BundleMeta, Thresholds
from pacbed.outline import Outline

FEW_DEFECTS = 10  # every camera has some
NOISE_SIGMA = 4.0  # so many standard deviations of the smoothed noise are no patch
PATCH_RADII = 0.12  # standard deviation of the smoothing that shows patches, in radii of the bright region


def judge_input(
    findings: Findings, meta: BundleMeta, conditions: Conditions, picture: Picture, radius_mrad: np.ndarray
) -> None:
    """What is wrong before anything is fitted.

    Parameters
    ----------
    findings : Findings
        Receives the reasons.
    meta : BundleMeta
        Gives ranges and thresholds.
    conditions : Conditions
        How the pattern was recorded.
    picture : Picture
        What is left of it.
    radius_mrad : float array, shape (entry,)
        Radii of the bright regions of the library [mrad].
    """
    limits = meta.thresholds
    if conditions.energy_kev is not None and abs(conditions.energy_kev / meta.energy_kev - 1) > limits.energy_relative:
        findings.add(
            Severity.REFUSAL,
            f"beam energy: the pattern was recorded at {conditions.energy_kev:g} kV, the bundle is for "
            f"{meta.energy_kev:g}",
        )
    low, high = meta.trained.convergence_mrad
    if not low - 1e-6 <= conditions.convergence_mrad <= high + 1e-6:
        findings.add(
            Severity.DOUBT,
            f"convergence angle {conditions.convergence_mrad:g} mrad lies outside the trained range, {low:g} to "
            f"{high:g}",
        )
    _judge_pixels(findings, limits, picture)
    judge_processing(findings, picture)
    _judge_outline(findings, limits, picture.outline, conditions.pixel_mrad, radius_mrad)


def _judge_pixels(findings: Findings, limits: Thresholds, picture: Picture) -> None:
    """Saturation, masks, and what was repaired."""
    share = picture.saturated_share
    if share > 0:
        severity = Severity.DOUBT if share > limits.saturated_disk else Severity.NOTE
        findings.add(severity, f"saturated: {100 * share:.1f} % of the disk's pixels, left out of the fit")
    hidden = picture.unused_share - share
    if hidden > limits.unused_disk:
        findings.add(Severity.DOUBT, f"little of the disk is left: {100 * hidden:.0f} % of its pixels do not count")
    if picture.defects > FEW_DEFECTS or "masked" in picture.counts or "border" in picture.counts:
        found = ", ".join(f"{name} {number}" for name, number in picture.counts.items())
        findings.add(Severity.NOTE, f"pixels left out: {found}")


def _judge_outline(
    findings: Findings, limits: Thresholds, outline: Outline, pixel_mrad: float | None, radius_mrad: np.ndarray
) -> None:
    """Whether the bright region can be a disk of this convergence angle, and lies in the frame."""
    if outline.inside < limits.inside:
        findings.add(
            Severity.DOUBT, f"{100 * (1 - outline.inside):.0f} % of the bright disk's rim lie outside the frame"
        )
    if outline.radius_px < limits.radius_px:
        findings.add(
            Severity.DOUBT,
            f"the disk has a radius of {outline.radius_px:.1f} pixels, too few to show fringes (at least "
            f"{limits.radius_px:g})",
        )
    if pixel_mrad is None:
        return
    found, low, high = outline.radius_px * pixel_mrad, float(radius_mrad.min()), float(radius_mrad.max())
    if not low / (1 + limits.radius_relative) <= found <= high * (1 + limits.radius_relative):
        findings.add(
            Severity.DOUBT,
            f"the bright region has a radius of {found:.1f} mrad by the pixel size given, patterns of this bundle "
            f"{low:.1f} to {high:.1f}",
        )


class Patch(NamedTuple):
    """Where a fit is worst over an area.

    Attributes
    ----------
    size : float
        Mean residual there beyond what noise makes, over the level of the disk [1].
    column, row : float
        Its middle in the recorded picture [pixels].
    """

    size: float
    column: float
    row: float


def largest_patch(model: ForwardModel, at: PatternParameters) -> Patch:
    """The largest residual after smoothing: structure that neither noise nor the crystal's fringes have."""
    cutout = model.cutout
    image, weight, residual = np.zeros(cutout.mask.shape), cutout.mask.astype(float), model.residual(at)
    image[cutout.mask] = residual
    sigma = PATCH_RADII * float(np.sqrt(weight.sum() / np.pi)) / FITTED_RADIUS
    share = ndimage.gaussian_filter(weight, sigma)
    smooth = np.where(cutout.mask, np.abs(ndimage.gaussian_filter(image, sigma)) / np.maximum(share, 0.3), 0.0)
    row, column = (int(i) for i in np.unravel_index(np.argmax(smooth), smooth.shape))
    # A Gaussian mean of independent noise is smaller than it by 2 sqrt(pi) times the width [pixels].
    noise = float(np.sqrt(np.mean(residual**2))) / (2 * np.sqrt(np.pi) * max(sigma, 0.3))
    middle = (cutout.factor - 1) / 2
    return Patch(
        max(0.0, float(smooth[row, column]) - NOISE_SIGMA * noise),
        cutout.origin_px[0] + column * cutout.factor + middle,
        cutout.origin_px[1] + row * cutout.factor + middle,
    )


def judge_precision(
    findings: Findings, limits: Thresholds, thickness: ThicknessEstimate, refinement: Refinement
) -> None:
    """Whether the fit saw enough to say something.

    Parameters
    ----------
    findings : Findings
        Receives the reasons.
    limits : Thresholds
    thickness : ThicknessEstimate
        What the fit found.
    refinement : Refinement
        The fit.
    """
    pixels = int(refinement.model.cutout.mask.sum())
    if pixels < limits.fitted_pixels:
        findings.add(Severity.DOUBT, f"the fit rests on {pixels} pixels, too few (at least {limits.fitted_pixels})")
    patch = largest_patch(refinement.model, refinement.best.parameters)
    if patch.size > limits.residual_patch:
        findings.add(
            Severity.DOUBT,
            f"a patch about column {patch.column:.0f}, row {patch.row:.0f} does not fit, by {100 * patch.size:.0f} % "
            "of the disk's level: dust, a stray spot, a shadow",
        )
    if thickness.std is not None and thickness.std > limits.std_relative * max(thickness.value, limits.thin_nm):
        findings.add(
            Severity.DOUBT, f"the thickness is known to {thickness.std:.1f} nm only, of {thickness.value:.1f} nm"
        )
