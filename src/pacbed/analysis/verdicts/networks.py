"""What speaks against a result because of the networks: their own doubts, a fit beside them, a rendered pattern."""

from __future__ import annotations

import numpy as np

from pacbed.analysis.fit.refinement import Checked
from pacbed.analysis.networks import NetworkAnswers
from pacbed.analysis.result import ThicknessEstimate
from pacbed.analysis.verdicts.findings import Findings, Severity
from pacbed.analysis.verdicts.fit import judge_misfit
from pacbed.bundle.meta import Thresholds


def judge_networks(findings: Findings, answers: NetworkAnswers | None, *, refined: bool) -> None:
    """Trouble the networks report themselves, or that there are none; a refinement that fits outweighs it."""
    if answers is None:
        findings.add(Severity.NOTE, "no networks in this bundle: library match and least squares alone have answered")
        return
    severity = Severity.NOTE if refined else Severity.DOUBT
    if not answers.scale_converged:
        last = answers.scales[-1]
        # A polar network answers once, with the radius of the bright region over the convergence angle.
        polar = answers.pixel_std_mrad is not None
        findings.add(
            severity,
            f"the bright region seems {last:.2f} times as wide as the convergence angle, the end of what the scale "
            "network knows"
            if polar
            else f"the scale network did not settle: it still asks for {last:.2f} times the pixel",
        )
    if answers.candidates[0].probability < 0.5:
        found = ", ".join(f"{peak.value:.0f} nm ({100 * peak.probability:.0f} %)" for peak in answers.candidates)
        findings.add(severity, f"the thickness network is undecided: {found}")


def judge_agreement(
    findings: Findings, answers: NetworkAnswers, thickness: ThicknessEstimate, limits: Thresholds
) -> None:
    """Whether networks that are sure of their thickness agree with the fit.

    Parameters
    ----------
    findings : Findings
        Receives the reason.
    answers : NetworkAnswers
    thickness : ThicknessEstimate
        Of the fit.
    limits : Thresholds
    """
    first = answers.candidates[0]
    apart = abs(first.value - thickness.value)
    spread = float(np.hypot(first.std, thickness.std or 0.0))
    if first.probability > limits.networks_sure and apart > limits.networks_apart * spread:
        findings.add(
            Severity.DOUBT,
            f"networks and fit disagree: {first.value:.1f} ± {first.std:.1f} nm against {thickness.value:.1f} ± "
            f"{thickness.std or 0.0:.1f} nm",
        )


def judge_alone(findings: Findings, checked: Checked, answers: NetworkAnswers, limits: Thresholds) -> None:
    """Whether a rendered pattern bears out what networks say without a fit.

    Parameters
    ----------
    findings : Findings
        Receives the reasons.
    checked : Checked
        The rendered pattern that fits best near their thickness.
    answers : NetworkAnswers
    limits : Thresholds
    """
    judge_misfit(findings, checked.fit.misfit, checked.noise, limits)
    first, found = answers.candidates[0], checked.fit.parameters.thickness_nm
    if checked.noise > limits.noise_alone:
        findings.add(
            Severity.DOUBT,
            f"networks alone, and noise is {100 * checked.noise:.0f} % of the picture: only a fit can tell",
        )
    if abs(found - first.value) > max(limits.ambiguous_nm, limits.networks_apart * first.std):
        findings.add(
            Severity.DOUBT,
            f"networks say {first.value:.1f} nm, the rendered pattern that fits best near it {found:.1f}",
        )
