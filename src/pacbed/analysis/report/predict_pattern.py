"""A prediction with what it leaves on disk: the result, and the sheet that shows it."""

from __future__ import annotations

from pathlib import Path

from pacbed.analysis.options import DEFAULT_OPTIONS, PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.report.sheet import draw_sheet
from pacbed.analysis.result import Result, write_result
from pacbed.bundle.reader import Bundle


def predict_pattern(
    bundle: Bundle | str | Path,
    pattern: str | Path,
    options: PredictOptions = DEFAULT_OPTIONS,
    *,
    out_json: str | Path,
    out_png: str | Path,
) -> Result:
    """Predict, and write the result and its sheet; a refusal is a result.

    Parameters
    ----------
    bundle : Bundle or path
        From `load_bundle`.
    pattern : path
        The recorded pattern.
    options : PredictOptions
    out_json, out_png : path
        Result and validation sheet.

    Raises
    ------
    PatternError, ParameterError, FormatError
        The pattern, an option or the bundle cannot be used; nothing is written.
    """
    analysis = analyse(bundle, pattern, options)
    draw_sheet(analysis, out_png)
    write_result(analysis.result, out_json)
    return analysis.result
