"""Measures the errors of every method on patterns of known truth, from clean to noisy."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.result import Result
from pacbed.errors import PacbedError
from pacbed.evaluation.errors_plot import Example, plot_errors
from pacbed.evaluation.floor import cramer_rao_floor
from pacbed.evaluation.nearest import NearestImage
from pacbed.evaluation.scores import FLOOR, Score, summarise, write_csv
from pacbed.evaluation.truths import Stack, Truth, add_noise, draw_truths
from pacbed.evaluation.unpacked_bundle import UnpackedBundle
from pacbed.logs import progress
from pacbed.outputs import write_json
from pacbed.simulation.stack.stored import of_stack
from pacbed.simulation.table.rocking_table import of_table
from pacbed.systems import check_same_system

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1
GIVEN_DIGITS = 1  # a user notes the convergence angle to 0.1 mrad
NOTES = {
    "truth": "rendered from the system's own rocking table, off every grid, from series no network was trained on; "
    "errors of the crystal's model itself are not in these figures",
    "nearest_image": "least squares against the stack's patterns of the closest convergence angle without mistilt "
    "(Oberaigner et al. 2023); its patterns are perfectly aligned and not blurred",
    "networks": "shifted, turned, blurred patterns of another pixel size; the likeliest thickness counts",
    "refinement": "the same patterns; library match and networks, if there are any, find the starts of a least-squares "
    "fit",
    "floor": "Cramér-Rao bound with thickness, mistilt, centre, pixel size, rotation, convergence angle, blur, gain "
    "and background unknown",
    "mistilt": "length of the error of the vector; error of the magnitude for networks that give no direction",
}


@dataclass(frozen=True)
class EvaluationSettings:
    """How much is measured.

    Attributes
    ----------
    noise_levels : sequence of float
        Standard deviations of Gaussian noise over the pattern's maximum.
    patterns : int
        Patterns per level; the same ones at each level.
    seed : int
        Seed of parameters and noise.
    """

    noise_levels: Sequence[float]
    patterns: int
    seed: int

    @property
    def levels(self) -> list[float]:
        """Noise levels, lowest first."""
        return sorted(self.noise_levels)


@dataclass(frozen=True)
class Workshop:
    """Everything the methods share.

    Attributes
    ----------
    bundle : UnpackedBundle
        Of networks and refinement.
    nearest : NearestImage
    """

    bundle: UnpackedBundle
    nearest: NearestImage


def evaluate(
    *,
    table_dir: str | Path,
    stack_dir: str | Path,
    models_dir: str | Path | None,
    settings: EvaluationSettings,
    out_json: str | Path,
    out_png: str | Path,
    out_csv: str | Path,
) -> None:
    """Compare nearest image, networks (if any) and refinement with the truth and with the smallest possible error.

    Parameters
    ----------
    table_dir, stack_dir : path
        Rocking table; labelled stack.
    models_dir : path or None
        Networks as ONNX with their descriptions; None evaluates what there is without them.
    settings : EvaluationSettings
    out_json, out_png, out_csv : path
        Summary, picture, and every single answer.

    Raises
    ------
    FormatError
        Table, stack or networks are incomplete, or table and stack are of different systems.
    """
    check_same_system(table=of_table(table_dir), stack=of_stack(stack_dir))
    stack = Stack.load(stack_dir)
    shop = Workshop(UnpackedBundle(table_dir, stack, models_dir), NearestImage(stack))
    rng = np.random.default_rng(settings.seed)
    truths = list(draw_truths(shop.bundle.renderer, stack, settings.patterns, rng=rng))
    scores = list(_scores(shop, truths, settings))
    summary = summarise(scores)
    for entry in summary:
        log.info("%s", ", ".join(f"{key} {_short(value)}" for key, value in entry.items()))
    plot_errors(scores, _examples(truths[settings.patterns // 2], settings), out_png)
    write_csv(scores, out_csv)
    write_json(_figures(summary, settings, stack), out_json)


def _scores(shop: Workshop, truths: Sequence[Truth], settings: EvaluationSettings) -> Iterator[Score]:
    """Every pattern at every level of noise, by every method."""
    jobs = list(product(range(settings.patterns), settings.levels))
    for number, level in progress(jobs, total=len(jobs), label="patterns evaluated"):
        rng = np.random.default_rng([settings.seed, number, round(1e6 * level)])
        yield from score_pattern(shop, truths[number], level, number, rng=rng)


def score_pattern(
    shop: Workshop, truth: Truth, noise: float, number: int, *, rng: np.random.Generator
) -> Iterator[Score]:
    """Let every method answer one pattern.

    Parameters
    ----------
    shop : Workshop
    truth : Truth
    noise : float
        Standard deviation over the pattern's maximum.
    number : int
        The pattern's number.
    rng : numpy.random.Generator
        Draws the noise.
    """
    at = truth.parameters
    blank = Score(FLOOR, noise, number, at.thickness_nm, float(np.hypot(*at.mistilt_mrad)), at.convergence_mrad)
    camera, aligned = (add_noise(image, noise, rng=rng) for image in (truth.camera, truth.aligned))
    started = time.perf_counter()
    nearest_nm = shop.nearest.thickness_nm(aligned, at.convergence_mrad)
    yield replace(
        blank,
        method="nearest_image",
        thickness_nm=nearest_nm,
        thickness_error_nm=nearest_nm - at.thickness_nm,
        seconds=time.perf_counter() - started,
    )
    if shop.bundle.networks:
        yield _predicted(shop, truth, camera, replace(blank, method="networks"), refine=False)
    yield _predicted(shop, truth, camera, replace(blank, method="refinement"), refine=True)
    if noise == 0:
        yield replace(blank, thickness_error_nm=0.0, mistilt_error_mrad=0.0)
        return
    prior = {"convergence_mrad": shop.bundle.meta.priors.convergence_relative * at.convergence_mrad}
    floor = cramer_rao_floor(shop.bundle.renderer, at, truth.camera.shape, noise=noise, prior_std=prior)
    yield replace(blank, thickness_error_nm=floor.std["thickness_nm"], mistilt_error_mrad=floor.mistilt_mrad)


def _predicted(shop: Workshop, truth: Truth, camera: np.ndarray, blank: Score, *, refine: bool) -> Score:
    """Score of the prediction a user would get; a pattern that cannot be used is one without an answer."""
    at, started = truth.parameters, time.perf_counter()
    given = round(at.convergence_mrad, GIVEN_DIGITS)
    try:
        result = analyse(shop.bundle, camera, PredictOptions(convergence_mrad=given, refine=refine)).result
    except PacbedError as error:
        log.warning("pattern %d at noise %g, %s: %s", blank.pattern, blank.noise, blank.method, error)
        return blank
    thickness, mistilt = result.thickness_nm, result.mistilt_mrad
    return replace(
        blank,
        thickness_nm=None if thickness is None else thickness.value,
        thickness_error_nm=None if thickness is None else thickness.value - at.thickness_nm,
        # The truth has the model's own physics, so only the statistical part of the error bar is on trial.
        thickness_std_nm=None if thickness is None else thickness.std_statistical,
        mistilt_mrad=None if mistilt is None else mistilt.value,
        mistilt_error_mrad=_mistilt_error(result, truth),
        seconds=time.perf_counter() - started,
    )


def _mistilt_error(result: Result, truth: Truth) -> float | None:
    """Length of the difference of the vectors in the image; of the magnitudes where there is no direction."""
    at, x, y = truth.parameters, result.mistilt_x_mrad, result.mistilt_y_mrad
    if x is not None and y is not None:
        return float(np.hypot(*(np.array([x.value, y.value]) - at.mistilt_in_image())))
    if result.mistilt_mrad is None:
        return None
    return abs(result.mistilt_mrad.value - float(np.hypot(*at.mistilt_mrad)))


def _examples(truth: Truth, settings: EvaluationSettings) -> list[Example]:
    return [
        Example(level, add_noise(truth.camera, level, rng=np.random.default_rng(settings.seed)))
        for level in settings.levels
    ]


def _figures(summary: list[dict], settings: EvaluationSettings, stack: Stack) -> dict[str, Any]:
    """Content of ``errors.json``."""
    return {
        "schema_version": SCHEMA_VERSION,
        "patterns": settings.patterns,
        "noise_levels": settings.levels,
        "seed": settings.seed,
        "pixels": stack.pixels,
        "errors": summary,
        "notes": NOTES,
    }


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
