"""Effects on a picture: how often each is adopted in vain, how often rightly, and what it is worth.

    python benchmarks/effects.py [--patterns 40]

Clean patterns are those of displaced atoms (`experiment.py`), counted, blurred and distorted by an ellipse; beside
them each pattern is recorded once more with one effect of stated size. Every pattern is fitted as by `pacbed predict`,
as if nothing had happened and with the effects. Answers are kept in results/effects/, so that a run that was stopped
goes on. Thresholds come from patterns of even numbers, figures from the odd ones. Writes ``benchmarks/effects.json``
and ``benchmarks/effects.md``; ``--report`` writes them from what there is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from effects_report import markdown
from experiment import Place

from pacbed.analysis import estimates
from pacbed.analysis.attempts.refining import refine_plainly, with_effects
from pacbed.analysis.attempts.starts import proposed_starts
from pacbed.analysis.fit.effects.thresholds import LEAST_GAIN
from pacbed.analysis.fit.matching.match import match
from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.steps import network_answers, prepare
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.errors import PacbedError
from pacbed.evaluation.degraded.optics import Area
from pacbed.evaluation.degraded.recording import record
from pacbed.evaluation.degraded.settings import Blur, Degradation, File, Light, View
from pacbed.evaluation.degraded.specimens import DEPTHS, SINGLE, TILTS, Specimen
from pacbed.logs import progress
from pacbed.outputs import KeptLines, write_json, write_text

HERE = Path(__file__).resolve().parent
FIGURES, PAGE = HERE / "effects.json", HERE / "effects.md"
BUNDLE, SEED = "rutile_80kv", 1611


class Case(NamedTuple):
    """Something that happened to a picture.

    Attributes
    ----------
    name : str
    effect : str
        That is to be adopted; empty where none is.
    change : callable
        Takes a clean degradation, returns one with the effect.
    specimen : str
        Kind of specimen.
    """

    name: str
    effect: str
    change: Callable[[Degradation], Degradation]
    specimen: str = SINGLE


def _as_it_is(how: Degradation) -> Degradation:
    return how


def _changed(stage: str, **values: Any) -> Callable[[Degradation], Degradation]:
    return lambda how: replace(how, **{stage: replace(getattr(how, stage), **values)})


CASES = (
    Case("clean", "", _as_it_is),
    Case("clean, JPEG", "", _changed("file", gamma=1.0)),
    Case("10 % vacuum", "vacuum", _changed("light", vacuum=0.1)),
    Case("30 % vacuum", "vacuum", _changed("light", vacuum=0.3)),
    Case("tilts spread by 0.5 to 3 mrad", "tilt_spread", _as_it_is, TILTS),
    Case("thickness spread by 2 to 15 %", "thickness_spread", _as_it_is, DEPTHS),
    Case("unfiltered, 1 mean free path", "blurred_copy", _changed("blur", plasmons=1.0)),
    Case("camera tail of 20 %", "blurred_copy", _changed("blur", tail_share=0.2, tail_px=6.0)),
    Case("shading of 12 % to the rim", "shading", _changed("light", shading=(0.3, 0.0, 0.0))),
    Case("JPEG with gamma 0.6", "gamma", _changed("file", gamma=0.6)),
)


def clean(rng: np.random.Generator) -> Degradation:
    """What is always there: noise, blur, an ellipse."""
    pixels = int(rng.integers(128, 193))
    length, azimuth = rng.uniform(0.0, 0.015), rng.uniform(0, 2 * np.pi)
    return Degradation(
        View(
            pixels=pixels,
            radius_px=pixels * float(rng.uniform(0.2, 0.26)),
            rotation_deg=float(rng.uniform(-180, 180)),
            shift=(float(rng.uniform(-0.04, 0.04)), float(rng.uniform(-0.04, 0.04))),
            ellipse=(float(length * np.cos(azimuth)), float(length * np.sin(azimuth))),
        ),
        Blur(gaussian_mrad=float(rng.uniform(0.3, 0.9))),
        Light(electrons=float(10 ** rng.uniform(4, 7))),
        File(brightest=0.5, offset=0.02, readout=0.002),
    )


def measured(bundle: Bundle, area: Area, case: Case, number: int, folder: Path) -> dict[str, Any]:
    """One pattern of a case: fitted as if nothing had happened, and with the effects."""
    how = case.change(clean(np.random.default_rng([SEED, number])))
    recorded = record(area, how, folder / "a", rng=np.random.default_rng([SEED, number, 1]))
    row = {
        "case": case.name,
        "number": number,
        "truth_nm": area.mean.thickness_nm,
        "electrons": how.light.electrons,
        "size": _size(case, area),
    }
    try:
        ready = prepare(bundle, recorded.file, PredictOptions(convergence_mrad=recorded.given_mrad))
        matches = match(ready.array, ready.outline, ready.library)
        starts = proposed_starts(matches, network_answers(ready))
        began = time.process_time()
        plain = refine_plainly(ready, starts)
        between = time.process_time()
        full = with_effects(ready, plain)
        ended = time.process_time()
    except PacbedError as error:
        return row | {"error": str(error)}
    tried = {one.name: {"gain": one.held_out_gain, "adopted": one.adopted, "size": one.size} for one in full.effects}
    return row | {
        "without": _answer(bundle, plain) | {"cpu_s": between - began},
        "with": _answer(bundle, full) | {"cpu_s": ended - between},
        "tried": tried,
    }


def _answer(bundle: Bundle, refinement: Refinement) -> dict[str, Any]:
    values = estimates.refined_values(
        refinement, bundle.meta, period_deg=bundle.table.rotation_period_deg, mirrored=False
    )
    found = values["thickness_nm"]
    return {
        "nm": found.value,
        "std_nm": found.std,
        "interval_90_nm": list(found.interval_90),
        "misfit": values["misfit"],
    }


def _size(case: Case, area: Area) -> float | None:
    """Spread of a specimen, of each part of the tilt [mrad] or of the thickness over its mean; None of others."""
    if case.specimen == SINGLE or not isinstance(area, Specimen):
        return None
    at = [part.parameters for part in area.parts]
    if case.specimen == TILTS:
        return float(np.std([one.mistilt_mrad for one in at], axis=0).mean())
    depths = np.array([one.thickness_nm for one in at])
    return float(depths.std() / depths.mean())


def chosen(areas: Sequence[Area], case: Case, number: int) -> Area:
    """The specimen of a number; each pattern of a case is another before one comes again."""
    there = [area for area in areas if area.kind == case.specimen]  # type: ignore[attr-defined]
    return there[number % len(there)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", type=int, default=40, help="of each case")
    parser.add_argument("--report", action="store_true", help="no measurement, only figures and page")
    options = parser.parse_args()
    bundle = load_bundle(BUNDLE)
    results = HERE.parent / "results"
    book = KeptLines(results / "effects" / f"{BUNDLE}.jsonl", {"bundle": bundle.sha256, "seed": SEED})
    rows = {(row["case"], row["number"]): row for row in book.rows}
    if not options.report:
        areas = Place(bundle, results / "experiment" / bundle.meta.system).areas()
        groups = [case for case in CASES if not case.effect], [case for case in CASES if case.effect]
        planned = ((case, n) for group in groups for n in range(options.patterns) for case in group)
        waiting = [(case, n) for case, n in planned if (case.name, n) not in rows]
        with tempfile.TemporaryDirectory() as folder:
            for case, number in progress(waiting, total=len(waiting), label="patterns fitted"):
                row = measured(bundle, chosen(areas, case, number), case, number, Path(folder))
                book.append([row])
                rows[case.name, number] = row
    figures = {
        "bundle": BUNDLE,
        "least_gain": dict(LEAST_GAIN),
        "cases": {case.name: case.effect for case in CASES},
        "rows": [row for row in rows.values() if row["number"] < options.patterns],
    }
    write_json(figures, FIGURES)
    write_text(markdown(figures), PAGE)
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
