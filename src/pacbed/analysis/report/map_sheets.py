"""Sheets of single windows of a map: the pattern behind a pixel, predicted as if it had come alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pacbed.analysis.maps.windows import Place, window_patterns
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.analysis.report.sheet import draw_sheet
from pacbed.analysis.result import write_result
from pacbed.bundle.reader import Bundle
from pacbed.errors import PacbedError, bad_value


def window_sheets(
    bundle: Bundle,
    data: str | Path,
    options: PredictOptions,
    places: Sequence[Place],
    *,
    window: int,
    out_dir: str | Path,
) -> list[Path]:
    """Predict some windows, and write a result and a sheet of each.

    Parameters
    ----------
    bundle : Bundle
    data : path
        4D-STEM data, see `open_scan`.
    options : PredictOptions
    places : sequence of Place
        Row and column in the map, from 0.
    window : int
        Scan positions along each edge of a window.
    out_dir : path
        Receives ``row_<row>_column_<column>.png`` and ``.json``.

    Returns
    -------
    list of Path
        The sheets.

    Raises
    ------
    ParameterError
        A place lies outside the map; nothing is written.
    PatternError
        A window has no pattern to speak of.
    """
    written = []
    with open_scan(data, dataset=options.dataset, scan_shape=options.scan_shape) as scan:
        rows, columns = scan.windows(window)
        for place in places:
            if not (0 <= place.row < rows and 0 <= place.column < columns):
                accepted = f"row and column of a window, from 0,0 to {rows - 1},{columns - 1}"
                raise bad_value("sheet", f"{place.row},{place.column}", accepted)
        known = replace(options.or_stated(scan.calibration, bundle.meta.energy_kev), frame=None)
        for place, pattern in window_patterns(scan, tuple(places), window):
            if isinstance(pattern, PacbedError):
                raise pattern
            out = Path(out_dir) / f"row_{place.row}_column_{place.column}"
            analysis = analyse(bundle, pattern, known)
            draw_sheet(analysis, out.with_suffix(".png"))
            write_result(analysis.result, out.with_suffix(".json"))
            written.append(out.with_suffix(".png"))
    return written
