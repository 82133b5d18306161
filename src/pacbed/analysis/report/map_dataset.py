"""Thickness map of a scan: the folder of maps, and its picture."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path

import numpy as np

from pacbed.analysis.maps import REASONS_KEPT, SCHEMA_VERSION, VERDICTS, ThicknessMap, _predictions, gather, write_map
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.errors import bad_value
from pacbed.logs import installed_versions, progress


def map_dataset(
    bundle: Bundle | str | Path,
    data: str | Path,
    *,
    out_dir: str | Path,
    out_png: str | Path,
    convergence_mrad: float | None = None,
    energy_kev: float | None = None,
    pixel_mrad: float | None = None,
    dataset: str | None = None,
    window: int = 1,
    jobs: int = 1,
) -> ThicknessMap:
    """Predict every window of a data set, and write the maps and their picture; a bad window leaves a hole.

    Parameters
    ----------
    bundle : Bundle or path
        From `load_bundle`.
    data : path
        4D-STEM data, see `open_scan`.
    out_dir : path
        Receives one ``.npy`` per attribute of `ThicknessMap` and ``map.json``; complete or absent.
    out_png : path
        The picture.
    convergence_mrad, energy_kev, pixel_mrad : float, optional
        Override what the file says.
    dataset : str, optional
        Which data set of a file that holds several.
    window : int
        Scan positions averaged along each edge of a window.
    jobs : int
        Windows predicted at once.

    Returns
    -------
    ThicknessMap

    Raises
    ------
    PatternError, ParameterError, FormatError
        The data, an option or the bundle cannot be used.
    """
    from pacbed.analysis.report.map_picture import draw_map

    if jobs < 1:
        raise bad_value("jobs", jobs, "a whole number, 1 or more")
    if not isinstance(bundle, Bundle):
        bundle = load_bundle(bundle)
    with open_scan(data, dataset=dataset) as scan:
        stated = scan.calibration
        options = {
            "convergence_mrad": stated.convergence_mrad if convergence_mrad is None else convergence_mrad,
            "energy_kev": stated.energy_kev if energy_kev is None else energy_kev,
            "pixel_mrad": stated.pixel_mrad if pixel_mrad is None else pixel_mrad,
        }
        shape = scan.windows(window)
        results = list(progress(_predictions(bundle, scan, window, options, jobs), shape[0] * shape[1], "windows"))
    found = gather([result for result, _ in results], shape)
    facts = {
        "schema_version": SCHEMA_VERSION,
        "input": Path(data).name,
        "scan_shape": list(scan.scan_shape),
        "shape": list(shape),
        "window": window,
        "verdicts": list(VERDICTS),
        "counts": {name: int(np.sum(found.verdict == code)) for code, name in enumerate(VERDICTS)},
        "reasons": dict(Counter(chain.from_iterable(reasons for _, reasons in results)).most_common(REASONS_KEPT)),
        "bundle": bundle.path.name,
        "bundle_sha256": bundle.sha256,
        "parameters": options,
        "versions": installed_versions(),
    }
    draw_map(found, out_png, window=window)
    write_map(found, facts, out_dir)
    return found
