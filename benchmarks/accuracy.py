"""Errors of every method against noise, on patterns of known truth: rendered, direct, varied crystals, displaced atoms.

    python benchmarks/accuracy.py [systems] --rendered 1000 --direct 300 --fitted 60 --crystals 12 --per-crystal 5

takes bundle, table, stack and slices from results/<system>, and benchmarks/phonons/<system>.zarr where it is there.
Answers are kept in results/<system>/accuracy, so that a run that was stopped goes on, and `--report` alone writes
accuracy.json, accuracy.md and the pictures in accuracy/ from what there is. Nothing is tuned on any of these patterns.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from accuracy_budget import add_coverage_of_drawn
from accuracy_report import TITLES, markdown

from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.config.system import SystemConfig, load_config
from pacbed.crystal.cif import read_structure
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials, termination_slices
from pacbed.evaluation.answers import DIRECT, KINDS, METHODS, PHONONS, RENDERED, VARIED, Answer, AnswerBook
from pacbed.evaluation.calibration_plot import plot_calibration
from pacbed.evaluation.direct.stored import read_patterns
from pacbed.evaluation.direct.varied import changed_slices, drawn_changes
from pacbed.evaluation.errors_plot import Example, plot_errors
from pacbed.evaluation.evaluate import direct_slabs
from pacbed.evaluation.methods import LEAST_SQUARES, Workshop, answer_all
from pacbed.evaluation.noise import Noise, noise_levels
from pacbed.evaluation.scores import summarise
from pacbed.evaluation.truths import TRUTHS_VERSION, Stack, Truth, draw_direct_truths, draw_truths
from pacbed.outputs import write_json, write_text
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

HERE = Path(__file__).resolve().parent
FIGURES, PAGE, PICTURES = HERE / "accuracy.json", HERE / "accuracy.md", HERE / "accuracy"
SYSTEMS = ("srtio3_200kv", "srtio3_300kv", "rutile_80kv", "beryl_300kv")
SIGMAS, ELECTRONS = [0.0, 0.02, 0.05, 0.1], [1e4, 1e5, 1e6]
FEW_LEVELS = noise_levels([0.05], [1e5])  # of crystals that the model does not know: there noise is not what counts
LEVELS = noise_levels(SIGMAS, ELECTRONS)
SEED = 2023


@dataclass(frozen=True)
class Counts:
    """Patterns of each kind."""

    rendered: int
    direct: int
    fitted: int
    crystals: int
    per_crystal: int

    def numbers_fitted(self, kind: str, count: int) -> Collection[int] | None:
        """Patterns that are fitted: so many rendered or direct ones, evenly spread, and all of other kinds."""
        if kind not in (RENDERED, DIRECT) or self.fitted >= count:
            return None
        return {round(place) for place in np.linspace(0, count - 1, self.fitted).tolist()}


@dataclass(frozen=True)
class Place:
    """What there is of a system."""

    name: str
    config: SystemConfig
    folder: Path
    bundle: Bundle
    stack: Stack

    @property
    def renderer(self) -> Renderer:
        """Of the whole table, which no bundle has compressed."""
        return Renderer(RockingTable.load(self.folder / "simulation" / "rocking"))

    def shop(self, methods: tuple[str, ...] = METHODS) -> Workshop:
        """The methods that answer."""
        return Workshop(self.bundle, self.stack, SEED, methods)


def rendered(place: Place, counts: Counts) -> list[Truth]:
    return list(draw_truths(place.renderer, place.stack, counts.rendered, rng=np.random.default_rng(SEED)))


def direct(place: Place, counts: Counts) -> list[Truth]:
    renderer, rng = place.renderer, np.random.default_rng([SEED, 1])
    slabs = direct_slabs(place.folder / "structure", renderer)
    return draw_direct_truths(renderer, slabs, place.stack, counts.direct, rng=rng) if slabs else []


def varied(place: Place, counts: Counts) -> list[Truth]:
    """Some patterns of each of several crystals, all drawn."""
    renderer, choices = place.renderer, place.config.evaluation.model_error
    slices, truths = SlicePotentials.load(place.folder / "structure"), []
    oriented = orient(read_structure(slices.source, slices.reading).crystal, slices.zone_axis)
    for crystal in range(counts.crystals):
        rng = np.random.default_rng([SEED, 2, crystal])
        changes = drawn_changes(oriented, slices, choices, rng=rng)
        changed = changed_slices(oriented, slices, changes)
        slabs = termination_slices(changed, renderer.table.facts.get("termination", "top"))
        truths += draw_direct_truths(renderer, slabs, place.stack, counts.per_crystal, rng=rng)
    return truths


def phonons(place: Place, counts: Counts) -> list[Truth]:
    """Those that are stored; only their camera's view is known."""
    folder = HERE / "phonons" / f"{place.name}.zarr"
    if not folder.is_dir():
        return []
    stored = read_patterns(folder)
    frame, nothing = place.stack.frame, np.empty((0, 0))
    return [
        Truth(
            at,
            camera=image / image.max(),
            aligned=nothing,
            scale=at.pixel_mrad / frame.pixel_mrad,
            in_field=float(image.sum()),
        )
        for at, image in stored
    ]


KIND_OF: dict[str, Callable[[Place, Counts], list[Truth]]] = {
    RENDERED: rendered, DIRECT: direct, VARIED: varied, PHONONS: phonons,
}  # fmt: skip


def measure(place: Place, counts: Counts, kinds: Sequence[str]) -> None:
    """Let every method answer every pattern of some kinds."""
    for kind in kinds:
        truths = KIND_OF[kind](place, counts)
        if not truths:
            print(f"{place.name}: no {kind} patterns")
            continue
        levels = LEVELS if kind in (RENDERED, DIRECT) else FEW_LEVELS
        methods = tuple(name for name in METHODS if kind != PHONONS or name not in LEAST_SQUARES)
        kept = book(place, kind, len(truths))
        if kind == RENDERED:
            examples(place, truths[len(truths) // 2])
        fitted = counts.numbers_fitted(kind, len(truths))
        answer_all(place.shop(methods), kept, kind, truths, levels, fitted=fitted)


def book(place: Place, kind: str, count: int) -> AnswerBook:
    made_for = {"bundle": place.bundle.sha256, "truths": TRUTHS_VERSION, "seed": SEED, "patterns": count}
    return AnswerBook(place.folder / "accuracy" / f"{kind}.jsonl", made_for)


def examples(place: Place, truth: Truth) -> None:
    """One pattern at every level, kept for the picture."""
    rng = np.random.default_rng(SEED)
    images = {level.label: level.record(truth.camera, rng=rng) for level in LEVELS}
    np.savez_compressed(place.folder / "accuracy" / "examples.npz", **images)


def stored_answers(folder: Path) -> dict[str, list[Answer]]:
    """All answers that are kept, by kind, whatever bundle gave them."""
    found = {}
    for kind in KINDS:
        file = folder / "accuracy" / f"{kind}.jsonl"
        if file.is_file():
            made_for = json.loads(file.read_text(encoding="utf-8").split("\n")[0])["made_for"]
            found[kind] = list(AnswerBook(file, made_for).answers.values())
    return found


def report(results: Path, names: Sequence[str]) -> None:
    """Write figures, page and pictures of the systems whose answers are there; others keep their figures."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {"systems": {}}
    figures["machine"] = f"{platform.machine()}, one core"
    for name in names:
        found = stored_answers(results / name)
        if found:
            kinds = {kind: by_method(answers) for kind, answers in found.items()}
            if VARIED in found:
                add_coverage_of_drawn(kinds[VARIED], found[VARIED], load_bundle(bundle_file(results, name)))
            figures["systems"][name] = kinds
            pictures(results / name, name, found)
    write_json(figures, FIGURES)
    write_text(markdown(figures), PAGE)


def by_method(answers: Sequence[Answer]) -> dict[str, dict[str, dict]]:
    """Method, then level of noise, then figures."""
    found: dict[str, dict[str, dict]] = {}
    for entry in summarise({answer.key: answer for answer in answers}):
        level = Noise(entry["noise"] or 0.0, entry["electrons"]).label
        figures = {key: value for key, value in entry.items() if key not in ("kind", "noise", "electrons", "method")}
        found.setdefault(entry["method"], {})[level] = rounded(figures)
    return found


def rounded(value):
    """Four digits of every number."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def pictures(folder: Path, name: str, found: dict[str, list[Answer]]) -> None:
    PICTURES.mkdir(exist_ok=True)
    file = folder / "accuracy" / "examples.npz"
    with np.load(file) as images:
        shown = [Example(level, image if level[-1] != "e" else image / image.max()) for level, image in images.items()]
    for kind, answers in found.items():
        count = len({answer.pattern for answer in answers})
        title = f"{name}: {count} patterns {TITLES[kind]}"
        # The example is a rendered pattern; others look otherwise.
        plot_errors(answers, shown if kind == RENDERED else [], PICTURES / f"{name}_{kind}.png", title)
    noisy = {kind: [one for one in answers if not one.noise.none] for kind, answers in found.items()}
    plot_calibration(noisy, PICTURES / f"{name}_calibration.png", f"{name}: all levels with noise")


def bundle_file(results: Path, name: str) -> Path:
    return results / name / "bundle" / f"{name}.pacbed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", help="left out: all whose bundle is there")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of the workflow")
    parser.add_argument("--rendered", type=int, default=1000, help="rendered patterns")
    parser.add_argument("--direct", type=int, default=300, help="patterns summed from plane waves")
    parser.add_argument("--fitted", type=int, default=60, help="of the rendered and of the direct ones, at every noise")
    parser.add_argument("--crystals", type=int, default=12, help="crystals drawn from the thickness budget")
    parser.add_argument("--per-crystal", type=int, default=5, help="patterns of each")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="which patterns")
    parser.add_argument("--report", action="store_true", help="no measurement, only figures, page and pictures")
    options = parser.parse_args()
    there = {name for name in options.systems or SYSTEMS if bundle_file(options.results, name).is_file()}
    names = options.systems or [name for name in SYSTEMS if name in there]
    absent = [name for name in names or SYSTEMS if name not in there]
    if absent and not options.report:
        parser.error(f"{options.results}: no bundle of {', '.join(absent)}; run the workflow of config/ first")
    counts = Counts(options.rendered, options.direct, options.fitted, options.crystals, options.per_crystal)
    for name in () if options.report else names:
        folder = options.results / name
        bundle = load_bundle(bundle_file(options.results, name))
        config = load_config([Path("config") / f"{name}.yaml"]).systems[name]
        measure(Place(name, config, folder, bundle, Stack.load(folder / "stack")), counts, options.kinds)
    report(options.results, names)


if __name__ == "__main__":
    main()
