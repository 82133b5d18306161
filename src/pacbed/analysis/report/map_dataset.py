"""Thickness map of a scan: the folder of maps, and its picture."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.maps import (
    REASONS_KEPT,
    SCHEMA_VERSION,
    VERDICTS,
    ThicknessMap,
    WindowResult,
    gather,
    predict_windows,
    write_map,
)
from pacbed.analysis.options import DEFAULT_OPTIONS, PredictOptions
from pacbed.analysis.picture.mask_file import mask_name, read_mask
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.analysis.report.map_picture import draw_map
from pacbed.analysis.steps import opened
from pacbed.bundle.reader import Bundle
from pacbed.errors import bad_value
from pacbed.logs import installed_versions, progress

REASONS_TOLD = 3


def map_dataset(
    bundle: Bundle | str | Path,
    data: str | Path,
    options: PredictOptions = DEFAULT_OPTIONS,
    *,
    window: int = 1,
    jobs: int = 1,
    out_dir: str | Path,
    out_png: str | Path,
) -> ThicknessMap:
    """Predict every window of a data set, and write the maps and their picture; a bad window leaves a hole.

    Parameters
    ----------
    bundle : Bundle or path
        From `load_bundle`.
    data : path
        4D-STEM data, see `open_scan`.
    options : PredictOptions
        Of every window; what they leave open is taken from the file.
    window : int
        Scan positions averaged along each edge of a window.
    jobs : int
        Windows predicted at once.
    out_dir : path
        Receives one ``.npy`` per attribute of `ThicknessMap` and ``map.json``; complete or absent.
    out_png : path
        The picture.

    Raises
    ------
    PatternError, ParameterError, FormatError
        The data, an option or the bundle cannot be used.
    """
    if jobs < 1:
        raise bad_value("jobs", jobs, "a whole number, 1 or more")
    bundle = opened(bundle)
    with open_scan(data, dataset=options.dataset, scan_shape=options.scan_shape) as scan:
        known = options.or_stated(scan.calibration, bundle.meta.energy_kev)
        told = _told(known)
        if known.mask is not None:  # read once, and refused before the first window
            known = replace(known, mask=read_mask(known.mask, scan.pattern_shape))
        shape, scan_shape = scan.windows(window), scan.scan_shape
        predictions = predict_windows(bundle, scan, known, window=window, jobs=jobs)
        results = list(progress(predictions, shape[0] * shape[1], "windows"))
    found = gather([one.result for one in results], shape)
    facts = {
        "schema_version": SCHEMA_VERSION,
        "input": Path(data).name,
        "path": str(Path(data).absolute()),
        "scan_shape": list(scan_shape),
        "shape": list(shape),
        "window": window,
        **_summary(found, results),
        "bundle": bundle.path.name,
        "bundle_sha256": bundle.sha256,
        "parameters": told,
        "versions": installed_versions(),
    }
    draw_map(found, out_png, window=window)
    write_map(found, facts, out_dir)
    return found


def _summary(found: ThicknessMap, results: Sequence[WindowResult]) -> dict[str, Any]:
    """How many windows have which verdict, the commonest reasons, and those of the windows that are holes."""
    reasons = Counter(chain.from_iterable(one.reasons for one in results))
    holes = Counter(chain.from_iterable(one.reasons for one in results if is_hole(one)))
    return {
        "verdicts": list(VERDICTS),
        "counts": {name: int(np.sum(found.verdict == code)) for code, name in enumerate(VERDICTS)},
        "reasons": dict(reasons.most_common(REASONS_KEPT)),
        "reasons_of_holes": dict(holes.most_common(REASONS_KEPT)),
    }


def is_hole(window: WindowResult) -> bool:
    """Whether the map shows nothing there: no result, or a refused one."""
    return window.result is None or window.result.verdict == "refused"


def summary_lines(folder: str | Path) -> list[str]:
    """How many windows of a map have which verdict, and why some are holes, commonest first.

    Parameters
    ----------
    folder : path
        Of a complete map.
    """
    facts = json.loads((Path(folder) / "map.json").read_text(encoding="utf-8"))
    counts = {name: count for name, count in facts["counts"].items() if count}
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    reasons = [f"  {count} x {reason}" for reason, count in list(facts["reasons_of_holes"].items())[:REASONS_TOLD]]
    return [f"{sum(counts.values())} windows: {told}", *reasons]


def _told(options: PredictOptions) -> dict[str, Any]:
    """The calibration, and those of the other options that are not as usual."""
    told: dict[str, Any] = {
        "convergence_mrad": options.convergence_mrad,
        "energy_kev": options.energy_kev,
        "pixel_mrad": options.pixel_mrad,
    }
    if options.mask is not None:
        told["mask"] = mask_name(options.mask)
    others = {"mirrored": options.mirrored, "refine": options.refine}
    return told | {name: value for name, value in others.items() if value != getattr(DEFAULT_OPTIONS, name)}
