"""Measures the errors of every method on patterns of known truth, from clean to noisy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.repetition import Examples, answer_examples
from pacbed.bundle.reader import Bundle
from pacbed.crystal.potentials import SlicePotentials, of_structure, termination_slices
from pacbed.evaluation.answers import DIRECT, RENDERED, AnswerBook
from pacbed.evaluation.errors_plot import Example, plot_errors
from pacbed.evaluation.methods import Workshop, answer_all
from pacbed.evaluation.noise import Noise, noise_levels
from pacbed.evaluation.scores import summarise, write_csv
from pacbed.evaluation.truths import TRUTHS_VERSION, Stack, Truth, draw_direct_truths, draw_truths
from pacbed.evaluation.unpacked_bundle import UnpackedBundle
from pacbed.outputs import file_aside, write_json
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.stack.stored import of_stack
from pacbed.simulation.table.rocking_table import of_table
from pacbed.systems import check_same_system

log = logging.getLogger(__name__)
SCHEMA_VERSION = 2
REPEATABLE = 10  # patterns that a bundle carries along
DISPLACED = "frozen_phonons"  # the thermal model whose patterns no single plane wave gives
NOTES = {
    "rendered": "truth rendered from the system's own rocking table, off every grid, from series no network was "
    "trained on, 2 nm thick or more; errors of the crystal's model itself are not in these figures",
    "direct": "the same, but summed from plane waves through the slices, off the table's directions: its interpolation "
    "is in these figures; thicknesses are whole periods, blurs at least 0.8 steps of the directions",
    "noise": "standard deviation over the pattern's maximum, per pixel of a pattern of 200 x 200 (fewer pixels have "
    "less, as their averages would); or electrons counted in the whole pattern",
    "least_squares_no_tilt": "least squares against the stack's patterns of the closest convergence angle without "
    "mistilt (Oberaigner et al. 2023), perfectly aligned and not blurred more than the sum over directions needs",
    "least_squares": "the same against all mistilts of the stack, the pattern turned into its sector of azimuths",
    "networks": "shifted, turned, blurred patterns of another pixel size; the likeliest thickness counts",
    "match": "the same patterns; the best of the rendered library, which knows the convergence angle",
    "match_refinement": "the same patterns; least squares from the best matches",
    "networks_refinement": "the same patterns; least squares from the best matches and the networks' candidates",
    "floor": "Cramér-Rao bound with thickness, mistilt, centre, pixel size, rotation, convergence angle, blur, gain "
    "and background unknown",
    "error_over_floor": "1.4826 times the median of |error / floor|: 1 for a method that reaches the bound",
    "mistilt": "mistilt_rmse and mistilt_median: length of the error of the vector; error of the magnitude for "
    "networks that give no direction",
    "cpu_s": "median processor time; the library of a convergence angle, made once for all its patterns, is not in it",
}


@dataclass(frozen=True)
class EvaluationSettings:
    """How much is measured.

    Attributes
    ----------
    noise_levels : sequence of float
        Standard deviations of Gaussian noise over the pattern's maximum.
    electrons : sequence of float
        Electrons counted in a pattern, for further levels.
    patterns : int
        Rendered patterns per level; the same ones at each level.
    direct_patterns : int
        Patterns per level that are summed from plane waves.
    seed : int
        Seed of parameters and noise.
    """

    noise_levels: Sequence[float]
    patterns: int
    seed: int
    electrons: Sequence[float] = ()
    direct_patterns: int = 0

    @property
    def levels(self) -> list[Noise]:
        """All levels of noise."""
        return noise_levels(list(self.noise_levels), list(self.electrons))


def evaluate(
    *,
    structure_dir: str | Path,
    table_dir: str | Path,
    stack_dir: str | Path,
    models_dir: str | Path | None,
    settings: EvaluationSettings,
    state_file: str | Path,
    out_dir: str | Path,
) -> None:
    """Compare least squares, library match, networks (if any) and refinements with the truth and the smallest error.

    Parameters
    ----------
    structure_dir, table_dir, stack_dir : path
        Slice potentials; rocking table; labelled stack.
    models_dir : path or None
        Networks as ONNX with their descriptions; None evaluates what there is without them.
    settings : EvaluationSettings
    state_file : path
        Keeps the answers of a run that was stopped; removed at the end.
    out_dir : path
        Receives ``errors.json``, the summary, its picture ``errors.png``, ``answers.csv`` with every single answer, and
        ``patterns.npz``, some patterns whose answers a bundle carries along.

    Raises
    ------
    FormatError
        Structure, table, stack or networks are incomplete, or of different systems.
    """
    check_same_system(structure=of_structure(structure_dir), table=of_table(table_dir), stack=of_stack(stack_dir))
    stack, out = Stack.load(stack_dir), Path(out_dir)
    bundle = UnpackedBundle(table_dir, stack, models_dir)
    shop = Workshop(bundle, stack, settings.seed)
    book = AnswerBook(state_file, {"bundle": bundle.sha256, "truths": TRUTHS_VERSION, **_plain(settings)})
    rng = np.random.default_rng(settings.seed)
    rendered = list(draw_truths(bundle.renderer, stack, settings.patterns, rng=rng))
    answer_all(shop, book, RENDERED, rendered, settings.levels)
    slabs = direct_slabs(structure_dir, bundle.renderer) if settings.direct_patterns else []
    if slabs:
        rng = np.random.default_rng([settings.seed, 1])
        direct = draw_direct_truths(bundle.renderer, slabs, stack, settings.direct_patterns, rng=rng)
        answer_all(shop, book, DIRECT, direct, settings.levels)
    summary = summarise(book.answers)
    for entry in summary:
        log.info("%s", ", ".join(f"{key} {_short(value)}" for key, value in entry.items()))
    shown = [answer for answer in book.answers.values() if answer.kind == RENDERED]
    plot_errors(shown, examples(rendered, settings), out / "errors.png")
    write_csv(list(book.answers.values()), out / "answers.csv")
    with file_aside(out / "patterns.npz") as aside:
        _repeatable(bundle, rendered, settings).save(aside)
    write_json(_figures(summary, settings, stack, direct=bool(slabs)), out / "errors.json")
    Path(state_file).unlink()


def direct_slabs(structure_dir: str | Path, renderer: Renderer) -> list[SlicePotentials]:
    """Slices for patterns that are summed from plane waves; none where the crystal's atoms are displaced.

    Parameters
    ----------
    structure_dir : path
        Folder with slice potentials.
    renderer : Renderer
        Of the table, which says what surfaces it averages.
    """
    slices = SlicePotentials.load(structure_dir)
    if slices.thermal_model == DISPLACED:
        log.warning("no pattern is summed directly: atoms of the thermal model %s are displaced", DISPLACED)
        return []
    return termination_slices(slices, renderer.table.facts.get("termination", "top"))


def examples(truths: Sequence[Truth], settings: EvaluationSettings) -> list[Example]:
    """The middle pattern at every level of noise, for the picture."""
    truth, rng = truths[len(truths) // 2], np.random.default_rng(settings.seed)
    recorded = [(level, level.record(truth.camera, rng=rng)) for level in settings.levels]
    return [
        Example(level.label, image if level.electrons is None else image / image.max()) for level, image in recorded
    ]


def _repeatable(bundle: Bundle, truths: Sequence[Truth], settings: EvaluationSettings) -> Examples:
    """Up to `REPEATABLE` patterns with their answers, spread over those evaluated, at the middle level of noise."""
    chosen = [truths[k] for k in np.unique(np.linspace(0, len(truths) - 1, REPEATABLE).round().astype(int))]
    level, rng = settings.levels[len(settings.noise_levels) // 2], np.random.default_rng([settings.seed, 2])
    images = [level.record(one.camera, rng=rng) for one in chosen]
    return answer_examples(bundle, images, [one.parameters for one in chosen])


def _plain(settings: EvaluationSettings) -> dict[str, Any]:
    return {
        "patterns": settings.patterns,
        "direct_patterns": settings.direct_patterns,
        "noise_levels": sorted(settings.noise_levels),
        "electrons": sorted(settings.electrons),
        "seed": settings.seed,
    }


def _figures(summary: list[dict], settings: EvaluationSettings, stack: Stack, *, direct: bool) -> dict[str, Any]:
    """Content of ``errors.json``; ``errors`` are those of rendered patterns with Gaussian noise, as ever."""

    def chosen(kind: str, *, counted: bool) -> list[dict[str, Any]]:
        return [
            {key: value for key, value in entry.items() if key != "kind"}
            for entry in summary
            if entry["kind"] == kind and (entry["electrons"] is not None) == counted
        ]

    return {
        "schema_version": SCHEMA_VERSION,
        **_plain(settings),
        "direct_patterns": settings.direct_patterns if direct else 0,
        "pixels": stack.pixels,
        "errors": chosen(RENDERED, counted=False),
        "errors_counted": chosen(RENDERED, counted=True),
        "errors_direct": chosen(DIRECT, counted=False) + chosen(DIRECT, counted=True),
        "notes": NOTES,
    }


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
