"""What a training leaves of a network: itself, its description with the model card, its history and its curves."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras

from pacbed.learning.curves import draw_curves
from pacbed.learning.feed import Feed
from pacbed.learning.settings import TrainingSettings
from pacbed.networks.model_card import ModelCard
from pacbed.outputs import file_aside


def write_outputs(
    network: keras.Model, description: Mapping[str, Any], rows: Sequence[Mapping[str, float]], out_dir: Path
) -> None:
    """Write everything aside, then move it into place; the network comes last.

    Parameters
    ----------
    network : keras.Model
        Its name is the task.
    description : mapping
        Content of ``<task>.json``.
    rows : sequence of mapping
        One per epoch.
    out_dir : Path
        Folder of the files.
    """
    task = network.name
    with (
        file_aside(out_dir / f"{task}.keras") as network_aside,
        file_aside(out_dir / f"{task}.json") as description_aside,
        file_aside(out_dir / f"{task}_history.csv") as history_aside,
        file_aside(out_dir / f"{task}_curves.png") as curves_aside,
    ):
        description_aside.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        with open(history_aside, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, fieldnames=list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        draw_curves(rows, description, curves_aside)
        network.save(network_aside)


def model_card(
    settings: TrainingSettings,
    feed: Feed,
    rows: Sequence[Mapping[str, float]],
    begun_with: str,
    *,
    scores: Mapping[str, float],
) -> ModelCard:
    """The model card of a network.

    Parameters
    ----------
    settings : TrainingSettings
    feed : Feed
        What it was trained and judged with.
    rows : sequence of mapping
        Its history, one row per epoch.
    begun_with : str
        What its weights were before.
    scores : mapping
        ``epoch``, the one that was kept, and ``median_error``.
    """
    (kept,) = (row for row in rows if row["epoch"] == scores["epoch"])
    seconds, cpu_seconds, feeding = (
        sum(row[name] for row in rows) for name in ("seconds", "cpu_seconds", "feed_seconds")
    )
    return ModelCard(
        recipe=settings.recipe,
        begun_with=begun_with,
        training_patterns=len(feed.batches) * feed.batches.source.batch_size,
        validation_patterns=len(feed.inputs["convergence"]),
        epochs=len(rows),
        best_epoch=int(kept["epoch"]),
        loss=kept["loss"],
        validation_loss=kept["val_loss"],
        median_error=scores["median_error"],
        seed=settings.seed,
        seconds=round(seconds, 1),
        cpu_seconds=round(cpu_seconds, 1),
        waiting=round(feeding / max(seconds, 1e-9), 3),
        calibrated=feed.turned is not None,
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Versions that decide a training's outcome, by name."""
    return {"keras": keras.__version__, "backend": keras.backend.backend(), "pacbed": version("pacbed")}
