"""Rule train_network: from settings, table and stack to one trained network, its description and its history."""

from __future__ import annotations

import csv
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pacbed.learning.curves import draw_curves
from pacbed.learning.feed import Feed, TrainingData
from pacbed.learning.recipes import recipe_named
from pacbed.learning.settings import TrainingSettings
from pacbed.learning.training_loop import VALIDATION_BATCH, best_weights, claim_folder, run_training
from pacbed.networks.architectures import build_network
from pacbed.networks.classes import TaskClasses
from pacbed.networks.description import NetworkDescription
from pacbed.outputs import file_aside
from pacbed.simulation.stack.stored import of_stack
from pacbed.simulation.table.rocking_table import of_table
from pacbed.systems import check_same_system

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1  # of the network's description


def train_network(
    table_dir: str | Path,
    stack_dir: str | Path,
    settings: TrainingSettings,
    *,
    out_keras: str | Path,
    out_history_csv: str | Path,
    out_curves_png: str | Path,
    state_dir: str | Path,
    threads: int = 1,
) -> None:
    """Train the network of one task; begun work in `state_dir` is continued if its fingerprint is the same.

    Besides the outputs named below, the network's description goes to `out_keras` with the suffix ``.json``.

    Parameters
    ----------
    table_dir, stack_dir : path
        Rocking table (rendered by recipe compact) and stack (read by recipe paper; both take its split).
    settings : TrainingSettings
        Everything else that decides the outcome.
    out_keras, out_history_csv, out_curves_png : path
        Network, one line per epoch, learning curves.
    state_dir : path
        What a resumed training needs; removed on success.
    threads : int
        Threads that render.

    Raises
    ------
    ParameterError
        The recipe is unknown, or the stack's split lacks a side.
    FormatError
        Table or stack is incomplete, or they belong to different systems.
    """
    recipe, classes, state_dir = recipe_named(settings.recipe), settings.classes, Path(state_dir)
    check_same_system(table=of_table(table_dir), stack=of_stack(stack_dir))
    claim_folder(state_dir, settings.fingerprint(table_dir, stack_dir))

    def fresh_network() -> keras.Model:
        return build_network(
            recipe.architecture, task=settings.task, pixels=settings.pixels, class_count=len(classes.values)
        )

    keras.utils.set_random_seed(settings.seed)
    network = fresh_network()
    feed = recipe.feed(settings, TrainingData(Path(table_dir), Path(stack_dir), state_dir, threads))
    rows = run_training(
        network, feed, classes, epochs=settings.epochs, learning_rate=settings.learning_rate, state_dir=state_dir
    )
    # A fresh network carries no state of the optimiser into the file.
    best = fresh_network()
    best.set_weights(best_weights(state_dir))
    description = {**_describe(best, settings), "validation": _judge(best, feed, classes, rows)}
    log.info("%s: %s", settings.task, description["validation"])
    _write_outputs(best, description, rows, Path(out_keras), Path(out_history_csv), Path(out_curves_png))
    shutil.rmtree(state_dir)


def _judge(
    best: keras.Model, feed: Feed, classes: TaskClasses, rows: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """Scores of the best network on the validation patterns."""
    probability = np.asarray(best.predict(feed.inputs, batch_size=VALIDATION_BATCH, verbose=0))
    kept = min(rows, key=lambda row: row["val_loss"])
    metrics = {name.removeprefix("val_"): value for name, value in kept.items() if name.startswith("val_")}
    labels = classes.labels(feed.true_values).astype(float)
    # Smoothed labels leave a loss that no network can go below: their own entropy.
    entropy = float(-np.sum(labels * np.log(np.maximum(labels, 1e-300)), axis=1).mean())
    scores = classes.scores(probability, feed.true_values)
    return {"epoch": kept["epoch"], **metrics, "label_entropy": entropy, **scores}


def _describe(best: keras.Model, settings: TrainingSettings) -> dict[str, Any]:
    """What a prediction needs to know of the network, and what it was made with; JSON values."""
    described = NetworkDescription(settings.classes, settings.pixels, settings.max_angle_mrad, settings.convergence)
    return {
        "schema_version": SCHEMA_VERSION,
        **described.as_json(),
        "ranges": asdict(settings.draw_ranges),
        "weights": int(best.count_params()),
        "settings": asdict(settings),
        "versions": {"keras": keras.__version__, "backend": keras.backend.backend()},
    }


def _write_outputs(
    best: keras.Model,
    description: Mapping[str, Any],
    rows: Sequence[Mapping[str, float]],
    network: Path,
    history: Path,
    curves: Path,
) -> None:
    """Write everything aside, then move it into place; the network comes last."""
    with (
        file_aside(network) as network_aside,
        file_aside(network.with_suffix(".json")) as description_aside,
        file_aside(history) as history_aside,
        file_aside(curves) as curves_aside,
    ):
        description_aside.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        with open(history_aside, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, fieldnames=list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        draw_curves(rows, description, curves_aside)
        best.save(network_aside)
