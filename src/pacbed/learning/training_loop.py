"""The training loop: a killed one goes on where it was, and the epoch with the lowest validation loss is kept."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pacbed.learning.feed import Batches, Feed, FollowEpoch
from pacbed.networks.classes import TaskClasses
from pacbed.outputs import file_aside, write_text

log = logging.getLogger(__name__)
PATIENCE = 10  # epochs without improvement after which the paper stops
VALIDATION_BATCH = 256  # patterns judged at once
# Files of a training's state folder.
FINGERPRINT, HISTORY, BEST_WEIGHTS, BACKUP = "fingerprint.json", "history.json", "best.npz", "backup"


def claim_folder(folder: str | Path, fingerprint: Mapping[str, Any]) -> None:
    """Empty a folder of training state unless it was begun with the same fingerprint.

    Parameters
    ----------
    folder : path
        Made if missing.
    fingerprint : mapping
        Everything that decides the outcome, see `TrainingSettings.fingerprint`; JSON values.
    """
    folder = Path(folder)
    note = folder / FINGERPRINT
    text = json.dumps(fingerprint, sort_keys=True, indent=1)
    if note.is_file() and note.read_text(encoding="utf-8") == text:
        log.info("continuing what lies in %s", folder)
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    note.write_text(text, encoding="utf-8")


def run_training(
    network: keras.Model, feed: Feed, optimiser: keras.optimizers.Optimizer, *, epochs: range, state_dir: Path
) -> list[dict[str, float]]:
    """Train a network, or go on where `state_dir` says; `best_weights` reads the best ones so far.

    The loss is the categorical cross-entropy ``L = -(1/n) sum_i sum_c y_ic ln p_ic`` of n patterns with the smoothed
    labels y (`TaskClasses.labels`) and the network's probabilities p, summed over its outputs. It is lowest for p = y,
    where it is the labels' own entropy. As in Oberaigner et al. 2023, the epoch with the lowest validation loss is
    kept, and training stops after ten epochs without a lower one.

    Parameters
    ----------
    network : keras.Model
        From `build_network`, with the weights to begin with; a resumed training replaces them.
    feed : Feed
        Training batches and validation patterns.
    optimiser : keras.optimizers.Optimizer
        Makes the steps.
    epochs : range
        Numbers of the passes over the batches, from 0 where nothing was trained before.
    state_dir : Path
        Folder that holds the backup, the history and the best weights.

    Returns
    -------
    list of dict
        One row per epoch: ``epoch`` (from 1), ``loss``, ``val_loss``, the loss of each output and the metrics ``top1``,
        ``top3`` (shares of patterns) and ``error`` [unit of the classes] of each task behind its name, with ``val_``
        before it for the validation patterns, ``seconds``, ``cpu_seconds`` of the process, and ``feed_seconds``, the
        part of the seconds that went into making batches: the trainer waits for no longer than that.
    """
    record = EpochRecord(state_dir, feed.batches)
    if without_gain(record.rows):
        return record.rows
    network.compile(
        optimizer=optimiser,
        loss=dict.fromkeys(network.output, "categorical_crossentropy"),
        metrics={task: _metrics(classes) for task, classes in feed.batches.classes.items()},
        # Measured: TensorFlow's own kernels train these networks on a CPU half again as fast as its compiler's.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    resume = keras.callbacks.BackupAndRestore(str(state_dir / BACKUP), double_checkpoint=True, delete_checkpoint=False)
    network.fit(
        feed.batches,
        epochs=epochs.stop,
        initial_epoch=epochs.start,
        shuffle=False,  # the batches shuffle themselves; Keras' shuffle would not survive a resume
        validation_data=(feed.inputs, feed.labels),
        validation_batch_size=VALIDATION_BATCH,
        # The record comes before the backup: an epoch that is killed in between is only done twice.
        callbacks=[FollowEpoch(feed.batches), record, resume],
        verbose=0,
    )
    return record.rows


def without_gain(rows: Sequence[Mapping[str, float]]) -> bool:
    """Whether `PATIENCE` epochs have passed since the lowest validation loss.

    Told from the history, so that a resumed training stops where an undisturbed one does.
    """
    return bool(rows) and rows[-1]["epoch"] - min(rows, key=lambda row: row["val_loss"])["epoch"] >= PATIENCE


def rows_of(rows: Sequence[Mapping[str, float]], task: str) -> list[dict[str, float]]:
    """The history of one task: its own loss and metrics without its name, ``epoch`` and the seconds of the training."""
    common = ("epoch", "seconds", "cpu_seconds", "feed_seconds")
    names = ("loss", "top1", "top3", "error")
    own = {prefix + name: f"{prefix}{task}_{name}" for prefix in ("", "val_") for name in names}
    return [
        # Keras leaves the name of a single output away.
        {**{name: row.get(key, row.get(name, np.nan)) for name, key in own.items()}, **{k: row[k] for k in common}}
        for row in rows
    ]


def best_weights(state_dir: Path) -> list[np.ndarray]:
    """Weights of the epoch with the lowest validation loss, in the order of `keras.Model.get_weights`."""
    with np.load(state_dir / BEST_WEIGHTS) as stored:
        return [stored[name] for name in stored.files]


class EpochRecord(keras.callbacks.Callback):
    """Keeps the history and the best weights in a folder, both complete at any moment, and stops without gain."""

    def __init__(self, folder: Path, batches: Batches) -> None:
        super().__init__()
        self.folder, self.batches = folder, batches
        self.rows: list[dict[str, float]] = []
        if (history := folder / HISTORY).is_file():
            self.rows = json.loads(history.read_text(encoding="utf-8"))
        self.started, self.cpu_started = time.monotonic(), time.process_time()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Start the clock."""
        self.started, self.cpu_started, self.batches.seconds = time.monotonic(), time.process_time(), 0.0
        # An epoch that is run again takes the place of its row.
        self.rows = [row for row in self.rows if row["epoch"] <= epoch]

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keep the weights if they are the best so far, and write the history."""
        values = {name: float(value) for name, value in (logs or {}).items()}
        seconds = {
            "seconds": time.monotonic() - self.started,
            "cpu_seconds": time.process_time() - self.cpu_started,
            "feed_seconds": self.batches.seconds,
        }
        row = {"epoch": epoch + 1, **values, **{name: round(value, 2) for name, value in seconds.items()}}
        if all(row["val_loss"] < earlier["val_loss"] for earlier in self.rows):
            with file_aside(self.folder / BEST_WEIGHTS) as aside:
                np.savez(aside, *self.model.get_weights())
        self.rows.append(row)
        write_text(json.dumps(self.rows), self.folder / HISTORY)  # a loss may have become NaN
        self.model.stop_training = without_gain(self.rows)
        log.info("epoch %d: %s", epoch + 1, ", ".join(f"{name} {value:.4g}" for name, value in row.items()))


def _metrics(classes: TaskClasses) -> list[Any]:
    values = np.asarray(classes.values, dtype=np.float32)

    def error(y_true: Any, y_pred: Any) -> Any:
        """Distance of the most probable class from the true one, in the unit of the classes."""
        found = keras.ops.take(values, keras.ops.argmax(y_pred, axis=-1))
        return keras.ops.abs(found - keras.ops.take(values, keras.ops.argmax(y_true, axis=-1)))

    few = min(3, len(values))
    return [
        keras.metrics.CategoricalAccuracy(name="top1"),
        keras.metrics.TopKCategoricalAccuracy(few, name="top3"),
        keras.metrics.MeanMetricWrapper(error, name="error"),
    ]
