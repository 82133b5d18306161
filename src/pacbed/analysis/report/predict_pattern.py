"""A prediction with what it leaves on disk: the result, the sheet that shows it, and the best match as an image."""

from __future__ import annotations

from pathlib import Path

from pacbed.analysis.options import DEFAULT_OPTIONS, PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.report.image_file import write_image
from pacbed.analysis.report.match_image import match_image
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
    out_pdf: str | Path | None = None,
    out_match: str | Path | None = None,
) -> Result:
    """Predict, and write the result, its sheet and the best match; a refusal is a result.

    Parameters
    ----------
    bundle : Bundle or path
        From `load_bundle`.
    pattern : path
        The recorded pattern.
    options : PredictOptions
    out_json, out_png : path
        Result and validation sheet.
    out_pdf : path, optional
        The sheet for printing.
    out_match : path, optional
        The best match on the pixels of the pattern, a ``.tif``.

    Raises
    ------
    PatternError, ParameterError, FormatError
        The pattern, an option or the bundle cannot be used; nothing is written.
    """
    analysis = analyse(bundle, pattern, options)
    draw_sheet(analysis, *(path for path in (out_png, out_pdf) if path is not None))
    if out_match is not None:
        write_image(match_image(analysis), out_match, pixel_mrad=analysis.parameters.pixel_mrad)
    result = _located(analysis.result, Path(pattern))
    write_result(result, out_json)
    return result


def _located(result: Result, pattern: Path) -> Result:
    """The result with the path of its input, by which a repeated prediction knows its own result."""
    provenance = result.provenance
    parameters = {**provenance.parameters, "path": str(pattern.absolute())}
    return result.model_copy(update={"provenance": provenance.model_copy(update={"parameters": parameters})})
