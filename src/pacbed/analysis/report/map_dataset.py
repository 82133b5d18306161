"""Thickness map of a scan: the folder of maps, and its picture."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.maps.answer import NUMBERS, REFUSED, VERDICTS, WindowAnswer
from pacbed.analysis.maps.passes import KeptAnswers, MapAnswers, MapPasses
from pacbed.analysis.maps.stored import ThicknessMap, read_map, write_map
from pacbed.analysis.maps.tasks import MapSource, close_all, opened
from pacbed.analysis.maps.workers import workers
from pacbed.analysis.options import DEFAULT_OPTIONS, PredictOptions
from pacbed.analysis.report.map_picture import draw_map
from pacbed.analysis.report.map_plan import MapPlan, MapSettings, plan_map
from pacbed.analysis.steps import opened as opened_bundle
from pacbed.bundle.reader import Bundle
from pacbed.errors import FormatError
from pacbed.logs import installed_versions

REASONS_KEPT, REASONS_TOLD = 10, 3


def map_dataset(
    bundle: Bundle | str | Path,
    data: str | Path,
    options: PredictOptions = DEFAULT_OPTIONS,
    settings: MapSettings | None = None,
    *,
    out_dir: str | Path,
    out_png: str | Path,
) -> ThicknessMap:
    """Fit every window of a data set, and write the maps and their picture; a bad window leaves a hole.

    A run that was stopped goes on where it was: what is done lies beside `out_dir`, in ``<name>.unfinished.jsonl``.

    Parameters
    ----------
    bundle : Bundle or path
        From `load_bundle`.
    data : path
        4D-STEM data, see `open_scan`.
    options : PredictOptions
        Of every window; what they leave open is taken from the file.
    settings : MapSettings, optional
    out_dir : path
        Receives the maps, see `write_map`; complete or absent.
    out_png : path
        The picture.

    Raises
    ------
    PatternError, ParameterError, FormatError
        The data, an option or the bundle cannot be used.
    """
    settings, bundle, data, out = settings or MapSettings(), opened_bundle(bundle), Path(data), Path(out_dir)
    plan = plan_map(bundle, data, options, settings)
    source = MapSource(bundle.path.absolute(), data.absolute(), plan.options, plan.window, plan.token)
    unfinished = out.with_name(f"{out.name}.unfinished.jsonl")
    try:
        opened(source, bundle)
        with workers(settings.jobs, settings.scheduler) as executor:
            kept = KeptAnswers(unfinished, {"token": plan.token})
            found = MapPasses(source, plan.shape, bundle.table.rotation_period_deg, executor, kept).run()
    finally:
        close_all()
    maps, step_nm = as_map(found), plan.step_nm
    draw_map(maps, out_png, window=plan.window, step_nm=step_nm)
    facts = _facts(bundle, data, plan, found)
    write_map(maps, facts, out, step_nm=None if step_nm is None else plan.window * step_nm)
    unfinished.unlink(missing_ok=True)
    return maps


def _facts(bundle: Bundle, data: Path, plan: MapPlan, found: MapAnswers) -> dict[str, Any]:
    """How the map was made, and what came out."""
    return {
        "input": data.name,
        "path": str(data.absolute()),
        "scan_shape": list(plan.scan_shape),
        "shape": list(plan.shape),
        "window": plan.window,
        "scan_step_nm": plan.step_nm,
        "uniformity": None if plan.evenness is None else plan.evenness._asdict(),
        **_summary(found),
        "constants": None if found.constants is None else asdict(found.constants),
        "fitted_again": found.again,
        "bundle": bundle.path.name,
        "bundle_sha256": bundle.sha256,
        "system": bundle.meta.system,
        "parameters": plan.told,
        "versions": installed_versions(),
    }


def as_map(found: MapAnswers) -> ThicknessMap:
    """Arrange answers as maps; a window without a crystal has no thickness."""
    arrays = {name: found.values(name) for name in NUMBERS}
    parts = (arrays[f"thickness_std_{part}_nm"] for part in ("statistical", "model"))
    return ThicknessMap.of(found.values("verdict"), arrays | {"thickness_std_nm": np.hypot(*parts)})


def _summary(found: MapAnswers) -> dict[str, Any]:
    """How many windows have which verdict, the commonest reasons, and those of the windows that are holes."""
    answers, verdict = list(found.answers.values()), found.values("verdict")
    return {
        "verdicts": list(VERDICTS),
        "counts": {name: int(np.sum(verdict == code)) for code, name in enumerate(VERDICTS)},
        "reasons": _commonest(answers),
        "reasons_of_holes": _commonest([one for one in answers if is_hole(one)]),
    }


def _commonest(answers: Sequence[WindowAnswer]) -> dict[str, int]:
    reasons = Counter(chain.from_iterable(map(_alike, one.reasons) for one in answers))
    return dict(reasons.most_common(REASONS_KEPT))


def _alike(reason: str) -> str:
    """A reason with dots for its figures, so that those of many windows can be counted."""
    return re.sub(r"\d+(\.\d+)?", "…", reason)


def is_hole(answer: WindowAnswer) -> bool:
    """Whether the map shows nothing there, though there may be a crystal: no result, or a refused one."""
    return answer.verdict in ("refused", "unusable")


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


def read_or_none(folder: str | Path) -> ThicknessMap | None:
    """A map that was made before; None where there is none, or a damaged one."""
    try:
        return read_map(folder)
    except FormatError:
        return None


def believed(found: ThicknessMap) -> np.ndarray:
    """Windows that show a thickness, shape (row, column)."""
    return np.asarray(found.verdict < REFUSED)
