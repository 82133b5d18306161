"""A prediction with what it leaves on disk: the result, and the sheet that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pacbed.analysis.predict import analyse
from pacbed.analysis.result import Result, write_result
from pacbed.bundle.reader import Bundle


def predict_pattern(
    bundle: Bundle | str | Path, pattern: str | Path, *, out_json: str | Path, out_png: str | Path, **options: Any
) -> Result:
    """Predict, and write the result and its sheet; a refusal is a result.

    Parameters
    ----------
    bundle, pattern, **options
        See `predict`.
    out_json, out_png : path
        Result and validation sheet.
    """
    from pacbed.analysis.report.sheet import draw_sheet

    analysis = analyse(bundle, pattern, **options)
    draw_sheet(analysis, out_png)
    write_result(analysis.result, out_json)
    return analysis.result
