"""Patterns as microscopes deliver them: is `ok` right, are right answers ok, are wrong crystals found?

    python benchmarks/experiment.py [bundles] --patterns 200 --wrong 20

Base patterns are of displaced atoms (frozen phonons), spreads of tilt and thickness included; vacuum is mixed in as
the beam's disk. They are computed once per system, some minutes, into results/experiment/<system>/specimens.zarr.
Every pattern is drawn from its number, written as the file that a camera or an image program would write, and read
and answered as by `pacbed predict`. Answers are kept in results/experiment/<system>/<label>.jsonl, so that a run that
was stopped goes on; `--report` alone writes experiment.json, experiment.md and the pictures in experiment/ from what
there is. Thresholds come from the patterns of even numbers alone, figures from the odd ones.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

import numpy as np
from experiment_report import markdown

from pacbed.bundle.archive import TABLE, VALIDATION
from pacbed.bundle.pretrained.names import shipped_bundles
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.crystal.potentials import SlicePotentials
from pacbed.evaluation.degraded.answers import Row, ask
from pacbed.evaluation.degraded.contact_sheet import Shown, draw_contact_sheet
from pacbed.evaluation.degraded.figures import METHODS, figures, halves, judged
from pacbed.evaluation.degraded.kinds import Kind, as_it_is
from pacbed.evaluation.degraded.optics import Area
from pacbed.evaluation.degraded.sample import BLOCK, ORDINARY, Case, case, of_kind, recorded
from pacbed.evaluation.degraded.settings import Degradation
from pacbed.evaluation.degraded.specimens import (
    THINNEST_NM,
    Counts,
    Ranges,
    RenderedSpecimen,
    draw_specimens,
    mean_of,
    simulate_specimens,
)
from pacbed.evaluation.degraded.stored_specimens import read_specimens, store_specimens
from pacbed.logs import progress
from pacbed.outputs import KeptLines, write_json, write_text

HERE = Path(__file__).resolve().parent
FIGURES, PAGE, PICTURES = HERE / "experiment.json", HERE / "experiment.md", HERE / "experiment"
SEED, SPECIMENS_SEED = 1602, 2026
SPAN_MRAD = 4.0  # convergence angles above the smallest of a bundle, at most: more cost more waves
SPECIMENS = Counts(single=44, tilts=8, depths=8)
WRONG_FROM_NM, WRONG_ELECTRONS = 10.0, 1e6  # wrong crystals are asked about where they can be told
MOST_SHOWN = 36


@dataclass(frozen=True)
class Place:
    """A bundle, and where its patterns and answers lie."""

    bundle: Bundle
    folder: Path

    @property
    def name(self) -> str:
        """Of the system."""
        return self.bundle.meta.system

    @property
    def ranges(self) -> Ranges:
        """What its specimens are drawn from."""
        thickness, (low, high) = self.bundle.meta.trained.thickness_nm, self.bundle.meta.trained.convergence_mrad
        return Ranges((THINNEST_NM, thickness[1] - 1.0), (low, min(high, low + SPAN_MRAD)))

    @property
    def specimens_folder(self) -> Path:
        """Where its specimens lie."""
        return self.folder / "specimens.zarr"

    def areas(self) -> list[Area]:
        """Its specimens, computed if they are not there."""
        if not self.specimens_folder.is_dir():
            self._simulate()
        return list(read_specimens(self.specimens_folder))

    def _simulate(self) -> None:
        started = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            self.bundle.extract(Path(folder), without=(TABLE, VALIDATION))
            slices = SlicePotentials.load(Path(folder) / "structure")
        propagator = self.bundle.table.facts["propagator"]
        rng = np.random.default_rng(SPECIMENS_SEED)
        specimens = simulate_specimens(slices, propagator, self.ranges, SPECIMENS, rng=rng)
        facts = {"system": self.name, "seed": SPECIMENS_SEED, "cpu_s": round(time.process_time() - started)}
        store_specimens(specimens, facts, self.specimens_folder)

    def rendered(self, count: int, other: Ranges) -> list[Area]:
        """Specimens from its own table, thick enough to be told from another crystal, of angles that both hold."""
        (low, high), (least, most) = self.ranges.convergence_mrad, other.convergence_mrad
        common = (max(low, least), min(high, most))
        angles = common if common[0] <= common[1] else (low, high)
        ranges = Ranges((WRONG_FROM_NM, self.ranges.thickness_nm[1]), angles)
        plans = draw_specimens(ranges, Counts(count, 0, 0), plane_nm=0.1, rng=np.random.default_rng([SEED, 1]))
        return [RenderedSpecimen(self.bundle.renderer, mean_of(plan.parameters)) for plan in plans]


def kept(folder: Path, label: str, bundle: Bundle | None = None) -> KeptLines:
    """Answers of a label; those of another bundle are begun anew."""
    file = folder / f"{label}.jsonl"
    if bundle is None:
        return KeptLines(file, json.loads(file.read_text(encoding="utf-8").split("\n")[0])["made_for"])
    return KeptLines(file, {"bundle": bundle.sha256, "seed": SEED})


def measure(place: Place, count: int, label: str) -> None:
    """Answer the first so many patterns of a system."""
    book = kept(place.folder, label, place.bundle)
    done = {row["number"] for row in book.rows}
    waiting = [number for number in range(count) if number not in done]
    if not waiting:
        return
    areas = place.areas()
    kinds = [area.kind for area in areas]
    cases = [case(number, kinds, seed=SEED) for number in waiting]
    # Patterns of one angle share a library.
    cases.sort(key=lambda one: areas[one.specimen].mean.convergence_mrad + one.how.told.convergence_error_mrad)
    with tempfile.TemporaryDirectory() as folder:
        for one in progress(cases, total=len(cases), label=f"{place.name}: patterns answered"):
            pattern = recorded(one, areas, Path(folder), seed=SEED)
            head = {"number": one.number, "kind": one.kind.name, "specimen": one.specimen, "how": one.how.as_json()}
            book.append([ask(place.bundle, pattern, **head).as_json()])


def measure_wrong(asked: Place, shown: Place, count: int, label: str) -> None:
    """Let a bundle answer patterns of another crystal, voltage or axis."""
    book = kept(asked.folder / "wrong", f"{shown.name}-{label}", asked.bundle)
    done = {row["number"] for row in book.rows}
    waiting = [number for number in range(count) if number not in done]
    areas = shown.rendered(count, asked.ranges) if waiting else []
    with tempfile.TemporaryDirectory() as folder:
        for number in waiting:
            one = of_kind(ORDINARY, number, [area.kind for area in areas], seed=SEED)
            how = replace(
                one.how, light=replace(one.how.light, electrons=max(WRONG_ELECTRONS, one.how.light.electrons))
            )
            one = one._replace(how=how, specimen=number)
            pattern = recorded(one, areas, Path(folder), seed=SEED)
            head = {"number": number, "kind": shown.name, "specimen": number, "how": how.as_json()}
            book.append([ask(asked.bundle, pattern, **head).as_json()])


def rows_of(folder: Path, label: str) -> list[Row]:
    """Answers that are kept under a label."""
    if not (folder / f"{label}.jsonl").is_file():
        return []
    return [Row.from_json(row) for row in kept(folder, label).rows]


def report(places: Sequence[Place], label: str) -> None:
    """Write figures, page and contact sheets of what is there; systems without answers keep their figures."""
    found = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {"systems": {}, "wrong": {}}
    found["machine"] = f"{platform.machine()}, one core"
    for place in places:
        rows = rows_of(place.folder, label)
        if rows:
            even, odd = halves(rows)
            parts = {"all": rows, "even": even, "odd": odd}
            found["systems"].setdefault(place.name, {})[label] = {
                part: {method: rounded(figures(chosen, method)) for method in METHODS} for part, chosen in parts.items()
            }
            contact_sheets(place, rows, label)
        for other in places:
            pair = rows_of(place.folder / "wrong", f"{other.name}-{label}")
            if pair:
                verdicts = {method: [one.found.verdict for one in judged(pair, method)] for method in METHODS}
                found["wrong"].setdefault(label, {}).setdefault(place.name, {})[other.name] = {
                    method: {"patterns": len(said), "ok": said.count("ok")} for method, said in verdicts.items()
                }
    write_json(found, FIGURES)
    write_text(markdown(found), PAGE)


def contact_sheets(place: Place, rows: Sequence[Row], label: str) -> None:
    """Pictures of all wrong answers that were ok, and of ordinary patterns of the right crystal that were not."""
    answers = judged(rows, "refined")
    sheets = {
        "wrong_ok": [one for one in answers if one.wrong_ok],
        "doubted": [one for one in answers if not one.ok and one.row.kind == ORDINARY.name],
    }
    if not any(sheets.values()):
        return
    areas = place.areas()
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for sheet, chosen in sheets.items():
            shown = []
            for one in chosen[:MOST_SHOWN]:
                row = one.row
                how = Degradation.from_json(row.how)
                again = Case(row.number, Kind(row.kind, as_it_is), row.specimen, how)
                shown.append(Shown(one, recorded(again, areas, Path(folder), seed=SEED).file))
            if shown:
                title = f"{place.name}, {label}: {len(shown)} of {len(chosen)} {sheet.replace('_', ' ')}"
                draw_contact_sheet(shown, PICTURES / f"{place.name}_{label}_{sheet}.png", title=title)


def rounded(value):
    """Four digits of every number."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def bundles(results: Path) -> list[str]:
    """Files of the bundles that ship, and of those that the workflow has made of systems that do not."""
    found = {name: str(path) for name, path in shipped_bundles().items()}
    made = {path.stem: str(path) for path in sorted(results.glob("*/bundle/*.pacbed"))}
    return list({**made, **found}.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="*", help="left out: all that ship or lie below results/")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of the workflow")
    parser.add_argument("--patterns", type=int, default=200, help=f"per system; a multiple of {BLOCK}")
    parser.add_argument("--wrong", type=int, default=20, help="patterns per pair of bundles")
    parser.add_argument("--label", default="now", help="name of the run, such as that of a version")
    parser.add_argument("--report", action="store_true", help="no measurement, only figures, page and pictures")
    options = parser.parse_args()
    os.chdir(HERE.parent)  # bundles name their CIF files from there
    opened = [load_bundle(path) for path in options.bundles or bundles(options.results)]
    places = [Place(bundle, options.results / "experiment" / bundle.meta.system) for bundle in opened]
    if not options.report:
        for place in places:
            measure(place, options.patterns, options.label)
        for asked, shown in permutations(places, 2):
            if options.wrong:
                measure_wrong(asked, shown, options.wrong, options.label)
    report(places, options.label)


if __name__ == "__main__":
    main()
