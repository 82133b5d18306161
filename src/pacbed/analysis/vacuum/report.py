"""What a result says of absolute intensity, and whether it contradicts the fit."""

from __future__ import annotations

from pacbed.analysis.fit.absolute import Shares
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.result import BeamShares
from pacbed.analysis.vacuum.beam import Beam
from pacbed.analysis.verdicts.findings import Findings, Severity

DOUBTFUL_STD = 3.0  # a share so many standard deviations off contradicts the fit
RADIUS_APART = 0.02  # of the disk's radius: camera lengths and apertures differ by more, one of them drifts by less


def beam_shares(beam: Beam, shares: Shares) -> BeamShares:
    """Field of a result.

    Parameters
    ----------
    beam : Beam
        From the vacuum pattern.
    shares : Shares
        Of the best fit.
    """
    disk = beam.disk
    return BeamShares(
        source=beam.source,
        recorded_share=shares.recorded,
        fitted_share=shares.fitted,
        expected_share=(shares.least, shares.most),
        std_relative=shares.relative,
        radius_px=disk.radius_px,
        ellipse_percent=disk.ellipse_percent,
        edge_px=disk.edge_px,
        shading_percent=disk.shading_percent,
    )


def judge_intensity(findings: Findings, shares: Shares) -> None:
    """Doubt a fit whose intensity is not the beam's.

    Parameters
    ----------
    findings : Findings
        Receives the reasons.
    shares : Shares
        Of the best fit.
    """
    expected = f"{100 * shares.least:.0f} to {100 * shares.most:.0f} % expected"
    recorded, fitted = (abs(float(value)) > DOUBTFUL_STD for value in shares.deviations())
    if recorded:
        findings.add(
            Severity.DOUBT,
            f"absolute intensity: the pattern holds {100 * shares.recorded:.0f} % of the beam, {expected}",
        )
    elif fitted:
        findings.add(
            Severity.DOUBT,
            f"absolute intensity: {100 * shares.fitted:.0f} % of the beam looks like the best match, {expected}",
        )


def judge_radius(findings: Findings, radius_px: float, at: PatternParameters) -> None:
    """Doubt a fit whose disk is not that of the vacuum pattern: one of the two was recorded otherwise.

    Parameters
    ----------
    findings : Findings
        Receives the reason.
    radius_px : float
        Of the vacuum disk [pixels].
    at : PatternParameters
        Of the best fit.
    """
    fitted = at.convergence_mrad / at.pixel_mrad
    if abs(fitted / radius_px - 1) > RADIUS_APART:
        findings.add(
            Severity.DOUBT,
            f"vacuum pattern: its disk has a radius of {radius_px:.1f} pixels, the pattern fits {fitted:.1f}",
        )
