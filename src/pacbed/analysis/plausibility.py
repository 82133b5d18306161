"""Whether what is stated of a recording can be true, before any work; and what of it was taken with a grain of salt."""

from __future__ import annotations

from pacbed.analysis.options import Conditions, PredictOptions
from pacbed.analysis.recording.metadata import OBLONG_TOLD, Calibration
from pacbed.analysis.verdicts.findings import Findings, Severity
from pacbed.errors import bad_value
from pacbed.outline import Outline

# ASSUME: the bright region of any crystal is at most this many times wider or narrower than its disk (measured: 1.0 to
# 1.3 times in the library of the demo at 13 to 15 mrad; a slip of units by 10 has to be seen).
PIXEL_FACTOR = 4.0


def check_pixel(conditions: Conditions, outline: Outline) -> None:
    """Refuse a pixel size that makes the bright region many times larger or smaller than the convergence angle.

    Parameters
    ----------
    conditions : Conditions
        How the pattern was recorded.
    outline : Outline
        Its bright region.

    Raises
    ------
    ParameterError
        Naming the pixel size and what the bright region allows.
    """
    pixel, angle = conditions.pixel_mrad, conditions.convergence_mrad
    if pixel is None:
        return
    expected = angle / outline.radius_px
    if not expected / PIXEL_FACTOR <= pixel <= expected * PIXEL_FACTOR:
        raise bad_value(
            "pixel_mrad",
            float(f"{pixel:.4g}"),
            f"about {expected:.3g} [mrad], for a bright region of {outline.radius_px:.1f} pixels radius and "
            f"{angle:g} mrad semi-convergence angle",
        )


def note_pixel(findings: Findings, stated: Calibration, options: PredictOptions) -> None:
    """Say that oblong pixels were used as square ones.

    Parameters
    ----------
    findings : Findings
        Receives the note.
    stated : Calibration
        What the file says.
    options : PredictOptions
        A pixel size given there replaces the file's.
    """
    if options.pixel_mrad is None and stated.oblong > OBLONG_TOLD:
        percent = 100 * (stated.oblong - 1)
        findings.add(Severity.NOTE, f"pixels are oblong by {percent:.1f} %: their mean edge was used")
