"""What undecided orientations, and starts that the user chose, do to the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.result import Alternative
from pacbed.analysis.verdicts.findings import Findings, Severity
from pacbed.bundle.meta import Thresholds

LEAST_POLAR_SHARE = 0.35  # right crystals are above 0.5, those without a polarity below 0.2


def judge_orientation(
    findings: Findings, limits: Thresholds, value_nm: float, *, polarity: Alternative | None, hand: Alternative | None
) -> None:
    """Say which orientation is not known; it makes a result doubtful only where it changes the thickness.

    Parameters
    ----------
    findings : Findings
        Receives the reasons.
    limits : Thresholds
    value_nm : float
        The thickness found [nm].
    polarity, hand : Alternative or None
        The crystal turned by 180 degrees, and the mirrored image; None where they cannot be told apart or were given.
    """
    for one, what in ((polarity, "turned by 180°"), (hand, "mirrored")):
        if one is None:
            continue
        rival = abs(one.thickness_nm - value_nm) > limits.ambiguous_nm
        if rival and (not one.decided or one.misfit_ratio < limits.ambiguous_ratio):
            findings.add(
                Severity.DOUBT,
                f"ambiguous: {what}, {one.thickness_nm:.1f} nm fits nearly as well "
                f"({one.misfit_ratio:.2f} times the misfit)",
            )
        elif not one.decided:
            findings.add(
                Severity.NOTE,
                f"orientation undecided: {what}, the crystal fits nearly as well ({one.misfit_ratio:.2f} times the "
                f"misfit) at {one.thickness_nm:.1f} nm",
            )


def judge_polarity(findings: Findings, share: float | None) -> None:
    """Whether a pattern that a polar crystal would show its polarity in shows none: it is of another crystal.

    Parameters
    ----------
    findings : Findings
        Receives the reason.
    share : float or None
        From `polar_share`.
    """
    if share is not None and share < LEAST_POLAR_SHARE:
        findings.add(
            Severity.DOUBT,
            f"of neither polarity: turned by 180°, the crystal fits nearly as well, which costs {100 * share:.0f} % of "
            "what it would cost a pattern of this crystal",
        )


def judge_asked(
    findings: Findings, limits: Thresholds, asked: Refinement, free: Refinement, thickness_nm: Sequence[float]
) -> None:
    """Say that the user chose where to start, and whether another thickness fits as well or better.

    Parameters
    ----------
    findings : Findings
        Receives the reasons.
    limits : Thresholds
    asked, free : Refinement
        From the thicknesses asked for, and from those that library match and networks propose.
    thickness_nm : sequence of float
        What was asked for [nm].
    """
    said = ", ".join(f"{value:g}" for value in thickness_nm)
    here, there = asked.best, free.best
    apart = abs(here.parameters.thickness_nm - there.parameters.thickness_nm) > limits.ambiguous_nm
    if apart and there.misfit < limits.ambiguous_ratio * here.misfit:
        findings.add(
            Severity.DOUBT,
            f"refined from {said} nm as asked; without that the answer is {there.parameters.thickness_nm:.1f} nm "
            f"(misfit {there.misfit:.3f} against {here.misfit:.3f})",
        )
    else:
        findings.add(Severity.NOTE, f"refined from {said} nm only, as asked")
