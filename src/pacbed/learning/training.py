"""Training of one network: resumable after a kill, the state with the lowest validation loss kept."""

from __future__ import annotations

import csv
import hashlib
import logging
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pacbed.learning.curves import draw_curves
from pacbed.learning.draws import SCALE_TOLERANCE
from pacbed.learning.feed import ConvergenceScale, Feed
from pacbed.learning.feed_rendered import rendered_feed
from pacbed.learning.feed_stack import stack_feed
from pacbed.learning.fitting import best_weights, fit
from pacbed.learning.samples import claim_folder
from pacbed.networks.architectures import build_network
from pacbed.networks.classes import Target
from pacbed.outputs import file_aside, plain_json, write_json
from pacbed.simulation.stack.stored import of_stack
from pacbed.simulation.table.rocking_table import of_table
from pacbed.systems import check_same_system

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1
_GRID = ("thickness_nm", "convergence_mrad", "mistilt_mrad")
# Arguments that do not decide the outcome.
_PLACES = ("table_dir", "stack_dir", "out_keras", "out_history_csv", "out_curves_png", "state_dir", "threads")


def train_network(
    table_dir: str | Path,
    stack_dir: str | Path,
    *,
    task: str,
    thickness_nm: Sequence[float],
    convergence_mrad: Sequence[float],
    mistilt_mrad: Sequence[float],
    max_angle_mrad: float,
    recipe: str,
    pixels: int,
    samples: int,
    validation_samples: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    scale_range: Sequence[float],
    scale_step: float,
    noise_max: float,
    seed: int,
    out_keras: str | Path,
    out_history_csv: str | Path,
    out_curves_png: str | Path,
    state_dir: str | Path,
    threads: int = 1,
) -> None:
    """Train the network of one task; begun work in `state_dir` is continued if its settings are the same.

    Besides the outputs named below, the network's description goes to `out_keras` with the suffix ``.json``.

    Parameters
    ----------
    table_dir, stack_dir : path
        Rocking table (rendered by recipe compact) and stack (read by recipe paper; both take its split).
    task : {"scale", "thickness", "mistilt"}
    thickness_nm, convergence_mrad, mistilt_mrad : sequence of float
        The system's grid: ranges of the draws, and classes.
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    recipe : {"compact", "paper"}
    pixels : int
        Edge of the network's input.
    samples, validation_samples : int
        Patterns rendered (compact), or seen in an epoch (paper).
    epochs, batch_size : int
    learning_rate : float
        Highest learning rate; it rises for the first steps and falls as a cosine.
    scale_range, scale_step
        Classes of the scale network.
    noise_max : float
        Largest Gaussian noise, over the pattern's maximum.
    seed : int
        Seed of draws, weights and order.
    out_keras, out_history_csv, out_curves_png : path
        Network, one line per epoch, learning curves.
    state_dir : path
        What a resumed training needs; removed on success.
    threads : int
        Threads that render.
    """
    settings = {name: plain_json(value) for name, value in locals().items() if name not in _PLACES}
    check_same_system(table=of_table(table_dir), stack=of_stack(stack_dir))
    sources = {"table": _digest(Path(table_dir) / "done.json"), "stack": _digest(Path(stack_dir) / "done.json")}
    claim_folder(state_dir, {"schema_version": SCHEMA_VERSION, **settings, **sources})
    target = Target.of(
        task, thickness_nm=thickness_nm, mistilt_mrad=mistilt_mrad, scale_range=scale_range, scale_step=scale_step
    )
    scale = ConvergenceScale.of(list(convergence_mrad))
    keras.utils.set_random_seed(seed)
    network = build_network(recipe, task=task, pixels=pixels, classes=len(target.values))
    feed = _feed(table_dir, stack_dir, target, scale, settings, state_dir, threads)
    rows = fit(network, feed, target, epochs=epochs, learning_rate=learning_rate, state_dir=Path(state_dir))
    # A fresh network carries no state of the optimiser into the file.
    best = build_network(recipe, task=task, pixels=pixels, classes=len(target.values))
    best.set_weights(best_weights(Path(state_dir)))
    description = {**_describe(best, target, scale, settings), "validation": _judge(best, feed, target, rows)}
    log.info("%s: %s", task, description["validation"])
    _write_outputs(best, description, rows, Path(out_keras), Path(out_history_csv), Path(out_curves_png))
    shutil.rmtree(state_dir)


def _feed(
    table_dir: str | Path,
    stack_dir: str | Path,
    target: Target,
    scale: ConvergenceScale,
    settings: dict[str, Any],
    state_dir: str | Path,
    threads: int,
) -> Feed:
    """Training and validation patterns of the recipe."""
    names = ("scale_range", "samples", "validation_samples", "pixels", "batch_size", "noise_max", "seed")
    shared = {"target": target, "scale": scale, **{name: settings[name] for name in names}}
    if settings["recipe"] == "paper":
        return stack_feed(stack_dir, **shared)
    grid = {name: settings[name] for name in _GRID}
    field = settings["max_angle_mrad"]
    return rendered_feed(
        table_dir, stack_dir, grid=grid, max_angle_mrad=field, state_dir=state_dir, threads=threads, **shared
    )


def _judge(best: keras.Model, feed: Feed, target: Target, rows: list[dict[str, float]]) -> dict[str, float]:
    """Scores of the best network on the validation patterns."""
    probability = np.asarray(best.predict(feed.inputs, batch_size=256, verbose=0))
    chosen = min(rows, key=lambda row: row["val_loss"])
    shown = {name.removeprefix("val_"): value for name, value in chosen.items() if name.startswith("val_")}
    labels = target.labels(feed.true_values).astype(float)
    # Soft labels leave a loss that no network can go below: their own entropy.
    entropy = float(-np.sum(labels * np.log(np.maximum(labels, 1e-300)), axis=1).mean())
    return {"epoch": chosen["epoch"], **shown, "label_entropy": entropy, **target.scores(probability, feed.true_values)}


def _describe(best: keras.Model, target: Target, scale: ConvergenceScale, settings: dict[str, Any]) -> dict[str, Any]:
    spans = {name: [min(settings[name]), max(settings[name])] for name in _GRID}
    scales = settings["scale_range"] if target.task == "scale" else SCALE_TOLERANCE
    return {
        "schema_version": SCHEMA_VERSION,
        "task": target.task,
        "class_values": target.values.tolist(),
        "class_unit": target.unit,
        "pixels": settings["pixels"],
        "max_angle_mrad": settings["max_angle_mrad"],
        "convergence_center_mrad": scale.center_mrad,
        "convergence_half_width_mrad": scale.half_width_mrad,
        "ranges": {**spans, "scale": list(scales)},
        "weights": int(best.count_params()),
        "settings": settings,
        "versions": {"keras": keras.__version__, "backend": keras.backend.backend()},
    }


def _write_outputs(
    best: keras.Model,
    description: dict[str, Any],
    rows: list[dict[str, float]],
    network: Path,
    history: Path,
    curves: Path,
) -> None:
    """Write everything aside, then move it into place; the network comes last."""
    with ExitStack() as stack:  # files take their places in reverse order
        aside = {path: stack.enter_context(file_aside(path)) for path in (network, curves, history)}
        with open(aside[history], "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, fieldnames=list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        draw_curves(rows, description, aside[curves])
        best.save(aside[network])
        write_json(description, network.with_suffix(".json"))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
