"""What speaks against a result because of what least squares found."""

from __future__ import annotations

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.options import Conditions
from pacbed.analysis.verdicts.findings import Findings, Severity
from pacbed.bundle.meta import BundleMeta, Thresholds
from pacbed.simulation.table.rocking_table import RockingTable

LARGE_SHIFT_NM, LARGE_SHIFT = 1.0, 0.03  # thickness that an effect may move or leave open, or of it the share
LARGE_WIDTHS = 2.4  # of an effect's prior; published patterns ask for one at most


def judge_fit(
    findings: Findings, refinement: Refinement, meta: BundleMeta, conditions: Conditions, table: RockingTable
) -> None:
    """How well the best rendered pattern fits, and whether its parameters are plausible.

    Parameters
    ----------
    findings : Findings
        Receives the reasons.
    refinement : Refinement
    meta : BundleMeta
        Gives ranges and thresholds.
    conditions : Conditions
        How the pattern was recorded.
    table : RockingTable
        Says whether disks overlap.
    """
    limits, at = meta.thresholds, refinement.best.parameters
    judge_misfit(findings, refinement.best.misfit, refinement.noise, limits)
    _judge_ambiguity(findings, refinement, limits)
    _judge_range(findings, at, meta)
    _judge_effects(findings, refinement)
    if at.thickness_nm < limits.thin_nm:
        findings.add(
            Severity.DOUBT, f"{at.thickness_nm:.1f} nm: below {limits.thin_nm:g} nm every crystal is a flat disk"
        )
    off = at.convergence_mrad / conditions.convergence_mrad - 1
    if abs(off) > limits.convergence_relative:
        findings.add(
            Severity.DOUBT,
            f"convergence angle: given {conditions.convergence_mrad:.2f} mrad, the pattern fits "
            f"{at.convergence_mrad:.2f}",
        )
    if conditions.pixel_mrad is not None and abs(at.pixel_mrad / conditions.pixel_mrad - 1) > limits.pixel_relative:
        findings.add(
            Severity.DOUBT,
            f"pixel size: given {conditions.pixel_mrad:.4g} mrad, the pattern fits {at.pixel_mrad:.4g} mrad",
        )
    if 2 * at.convergence_mrad < shortest_reciprocal_mrad(table):
        findings.add(
            Severity.NOTE, "disks do not overlap: pixel size and convergence angle follow from the values given"
        )


def judge_misfit(findings: Findings, misfit: float, noise: float, limits: Thresholds) -> None:
    """How badly the best rendered pattern fits, beyond what noise accounts for."""
    excess = float(np.sqrt(max(0.0, misfit**2 - noise**2)))
    text = f"misfit {misfit:.2f}, {excess:.2f} beyond noise"
    if misfit > limits.misfit_noise:
        findings.add(Severity.REFUSAL, f"noise hides the pattern: {text}")
    elif excess > limits.misfit_refused:
        findings.add(Severity.REFUSAL, f"no rendered pattern fits: {text} (refused above {limits.misfit_refused:g})")
    elif excess > limits.misfit_doubtful:
        findings.add(Severity.DOUBT, f"the best rendered pattern fits badly: {text}")


def _judge_ambiguity(findings: Findings, refinement: Refinement, limits: Thresholds) -> None:
    best = refinement.best_at_middle
    for other in refinement.others:
        apart = abs(other.parameters.thickness_nm - best.parameters.thickness_nm)
        if apart > limits.ambiguous_nm and other.misfit < limits.ambiguous_ratio * best.misfit:
            findings.add(
                Severity.DOUBT,
                f"ambiguous: {other.parameters.thickness_nm:.1f} nm fits nearly as well "
                f"(misfit {other.misfit:.3f} against {best.misfit:.3f})",
            )


def _judge_range(findings: Findings, at: PatternParameters, meta: BundleMeta) -> None:
    low, high = meta.trained.thickness_nm
    if not low <= at.thickness_nm <= high:
        findings.add(
            Severity.DOUBT,
            f"thickness {at.thickness_nm:.1f} nm lies outside the bundle's range, {low:g} to {high:g} nm",
        )
    size, largest = float(np.hypot(*at.mistilt_mrad)), meta.trained.mistilt_mrad[1]
    if size > largest:
        findings.add(Severity.DOUBT, f"mistilt {size:.1f} mrad lies beyond the bundle's range, {largest:g} mrad")


def _judge_effects(findings: Findings, refinement: Refinement) -> None:
    """Effects in the answer: one that is large, or on which the thickness hangs, is no reason to trust it."""
    far_nm = max(LARGE_SHIFT_NM, LARGE_SHIFT * refinement.best.parameters.thickness_nm)
    for effect in refinement.effects:
        if effect.adopted:
            far = max(abs(effect.thickness_shift_nm), effect.thickness_std_nm) > far_nm
            large = far or effect.widths > LARGE_WIDTHS
            unit = f" {effect.unit}" if effect.unit else ""
            findings.add(
                Severity.DOUBT if large else Severity.NOTE,
                f"beside the crystal, the pattern asks for {effect.name.replace('_', ' ')} ({effect.size:.2f} ± "
                f"{effect.std:.2f}{unit}): held-out sectors fit {100 * effect.held_out_gain:.0f} % better with it, and "
                f"it moves the thickness by {effect.thickness_shift_nm:+z.2f} ± {effect.thickness_std_nm:.2f} nm",
            )


def shortest_reciprocal_mrad(table: RockingTable) -> float:
    """Length of the shortest reciprocal-lattice vector in the plane [mrad]."""
    pairs = np.array([(h, k) for h in range(-2, 3) for k in range(-2, 3) if (h, k) != (0, 0)])
    return float(np.linalg.norm(pairs @ table.reciprocal_mrad, axis=1).min())
