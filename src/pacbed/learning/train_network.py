"""Rule train_network: from settings, table and stack to trained networks, their descriptions and their histories."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from pacbed.learning.calibrate import JudgedAnswers, ask_about_validation, calibrate, calibrate_direction
from pacbed.learning.feed import Feed, TrainingData
from pacbed.learning.recipes import Recipe, recipe_named
from pacbed.learning.settings import TrainingSettings
from pacbed.learning.trained_files import model_card, versions, write_outputs
from pacbed.learning.training_loop import best_weights, claim_folder, rows_of, run_training
from pacbed.learning.transfer.begin import begin
from pacbed.learning.transfer.keras_files import set_frozen
from pacbed.learning.transfer.parts import parts_of
from pacbed.networks.architectures import build_network, single_network
from pacbed.networks.calibration import Calibration
from pacbed.networks.classes import TaskClasses
from pacbed.networks.description import NetworkDescription
from pacbed.simulation.stack.stored import of_stack
from pacbed.simulation.table.rocking_table import of_table
from pacbed.systems import check_same_system

log = logging.getLogger(__name__)
SCHEMA_VERSION = 2  # of the network's description: 1 had no frame and no calibration


class Learnt(NamedTuple):
    """What came out of a training: its history, and the weights of its best epoch."""

    rows: list[dict[str, float]]
    best: list[np.ndarray]


@dataclass(frozen=True)
class Training:
    """One training: the tasks that share its network, what they are told apart by, and what it is fed with.

    Attributes
    ----------
    recipe : Recipe
    settings : TrainingSettings
    classes : dict
        Classes by task.
    """

    recipe: Recipe
    settings: TrainingSettings
    classes: dict[str, TaskClasses]

    def fresh_network(self) -> keras.Model:
        """A network that has learnt nothing."""
        frame, pixels = self.recipe.frame(self.settings), self.settings.pixels
        return build_network(
            self.recipe.architecture,
            input_shape=(pixels, pixels) if frame is None else (frame.radii, frame.angles),
            class_counts={task: len(classes.values) for task, classes in self.classes.items()},
        )

    def begin(self, network: keras.Model, feed: Feed) -> str:
        """Give a fresh network the weights that the settings ask for; tells which."""
        task, published = next(iter(self.classes)), self.recipe.published
        return begin(network, self.settings, feed.inputs, task=task, published=published)


def train_network(
    table_dir: str | Path,
    stack_dir: str | Path,
    settings: TrainingSettings,
    *,
    out_dir: str | Path,
    state_dir: str | Path,
    threads: int = 1,
) -> None:
    """Train the three networks; begun work in `state_dir` is continued if its fingerprint is the same.

    Parameters
    ----------
    table_dir, stack_dir : path
        Rocking table (rendered by recipe compact) and stack (read by recipe paper; both take its split).
    settings : TrainingSettings
        Everything else that decides the outcome.
    out_dir : path
        Folder of ``<task>.keras`` with its description ``<task>.json``, ``<task>_history.csv``, one line per epoch, and
        ``<task>_curves.png``.
    state_dir : path
        What a resumed training needs; removed on success.
    threads : int
        Threads that render.

    Raises
    ------
    ParameterError
        The recipe is unknown, the stack's split lacks a side, or there are no such weights to begin with.
    FormatError
        Table or stack is incomplete, or they belong to different systems.
    """
    recipe, state_dir = recipe_named(settings.recipe), Path(state_dir)
    check_same_system(table=of_table(table_dir), stack=of_stack(stack_dir))
    claim_folder(state_dir, settings.fingerprint(table_dir, stack_dir))
    for tasks in recipe.trainings:
        state = state_dir / "_".join(tasks)
        state.mkdir(exist_ok=True)
        data = TrainingData(Path(table_dir), Path(stack_dir), state, threads)
        training = Training(recipe, settings, {task: settings.classes_of(task) for task in tasks})
        _train(training, data, Path(out_dir))
    shutil.rmtree(state_dir)


def _train(training: Training, data: TrainingData, out_dir: Path) -> None:
    """One training from its fresh network to the files of its tasks."""
    keras.utils.set_random_seed(training.settings.seed)
    network = training.fresh_network()
    feed = training.recipe.feed(training.settings, data, tuple(training.classes))
    begun_with = training.begin(network, feed)
    learnt = _learn(training, network, feed, data.state_dir)
    # A fresh network carries no state of the optimiser into the file.
    best = training.fresh_network()
    best.set_weights(learnt.best)
    answers = ask_about_validation(best, feed)
    kept = min(learnt.rows, key=lambda row: row["val_loss"])
    # The feed knows whether the recipe smooths its labels.
    for task, classes in feed.batches.classes.items():
        single, history = single_network(best, task), rows_of(learnt.rows, task)
        calibrated = calibrate(answers.probability[task], classes, feed.true_values[task])
        scores = _judge(calibrated.probability(answers.probability[task]), feed, classes)
        validation = {**_of_epoch(history, kept["epoch"]), **scores}
        description = {
            **_describe(training, classes, _calibrations(calibrated, answers, feed, task), mirror=feed.mirror),
            "weights": int(single.count_params()),
            "validation": validation,
            "card": model_card(training.settings, feed, history, begun_with, scores=validation).as_json(),
        }
        log.info("%s: %s", task, validation)
        write_outputs(single, description, history, out_dir)


def _learn(training: Training, network: keras.Model, feed: Feed, state_dir: Path) -> Learnt:
    """All parts of a training, each from the best epoch of the one before; finished ones are only read again."""
    settings = training.settings
    rows: list[dict[str, float]] = []
    best: list[np.ndarray] = []
    for part in parts_of(settings, max(settings.epochs[task] for task in training.classes)):
        folder = state_dir / part.name
        folder.mkdir(exist_ok=True)
        if rows:
            network.set_weights(best)
        set_frozen(network, part.frozen)
        optimiser = training.recipe.optimiser(part.learning_rate, len(part.epochs) * len(feed.batches))
        new = run_training(network, feed, optimiser, epochs=part.epochs, state_dir=folder)
        lowest = min(row["val_loss"] for row in new)
        if not rows or lowest < min(row["val_loss"] for row in rows):
            best = best_weights(folder)
        rows += new
    return Learnt(rows, best)


def _calibrations(of_classes: Calibration, answers: JudgedAnswers, feed: Feed, task: str) -> dict[str, Calibration]:
    """Calibrations of a task; networks that are asked in one way only keep the plain ones."""
    if feed.turned is None:
        return {}
    if task != "mistilt" or answers.direction is None:
        return {"calibration": of_classes}
    return {"calibration": of_classes, "direction": calibrate_direction(answers.direction, feed.true_values)}


def _of_epoch(rows: Sequence[Mapping[str, float]], epoch: float) -> dict[str, float]:
    """Validation loss and metrics of an epoch."""
    (row,) = (row for row in rows if row["epoch"] == epoch)
    return {"epoch": epoch} | {
        name.removeprefix("val_"): value for name, value in row.items() if name.startswith("val_")
    }


def _judge(probability: np.ndarray, feed: Feed, classes: TaskClasses) -> dict[str, float]:
    """Scores on the validation patterns."""
    true_values = feed.true_values[classes.task]
    labels = classes.labels(true_values).astype(float)
    # Smoothed labels leave a loss that no network can go below: their own entropy.
    entropy = float(-np.sum(labels * np.log(np.maximum(labels, 1e-300)), axis=1).mean())
    return {"label_entropy": entropy, **classes.scores(probability, true_values)}


def _describe(
    training: Training, classes: TaskClasses, calibrations: Mapping[str, Calibration], *, mirror: bool
) -> dict[str, Any]:
    """What a prediction needs to know of a network, and what it was made with; JSON values."""
    settings = training.settings
    described = NetworkDescription(
        classes,
        settings.pixels,
        settings.max_angle_mrad,
        settings.convergence,
        frame=training.recipe.frame(settings),
        mirror=mirror,
        **calibrations,
    )
    return {
        "schema_version": SCHEMA_VERSION,
        **described.as_json(),
        "ranges": asdict(settings.draw_ranges_of(classes.task)),
        "settings": asdict(settings),
        "versions": versions(),
    }
