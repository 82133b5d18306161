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
    result = _located(analysis.result, Path(pattern))
    write_result(result, out_json)
    return result


def _located(result: Result, pattern: Path) -> Result:
    """The result with the path of its input, by which a repeated prediction knows its own result."""
    provenance = result.provenance
    parameters = {**provenance.parameters, "path": str(pattern.absolute())}
    return result.model_copy(update={"provenance": provenance.model_copy(update={"parameters": parameters})})
