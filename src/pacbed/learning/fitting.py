"""The training loop: resumable after a kill, the state with the lowest validation loss kept."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pacbed.learning.feed import Feed, FollowEpoch
from pacbed.networks.classes import Target
from pacbed.outputs import file_aside, write_text

log = logging.getLogger(__name__)
WARM_UP = 0.05  # share of all steps over which the learning rate rises
WEIGHT_DECAY = 1e-4
BEST = "best.npz"
PATIENCE = 10  # epochs without improvement after which the paper stops


def fit(
    network: keras.Model, feed: Feed, target: Target, *, epochs: int, learning_rate: float, state_dir: Path
) -> list[dict[str, float]]:
    """Train a network, or go on where `state_dir` says; `best_weights` reads the best ones so far.

    Returns
    -------
    list of dict
        One row per epoch: ``epoch`` (from 1), ``loss``, ``val_loss`` and the metrics of both.
    """
    steps = epochs * len(feed.batches)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.05 * learning_rate, steps, alpha=0.01, warmup_target=learning_rate, warmup_steps=max(1, int(WARM_UP * steps))
    )
    network.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY),
        loss="categorical_crossentropy",
        metrics=_metrics(target),
        # Measured: TensorFlow's own kernels train these networks on a CPU half again as fast as its compiler's.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    record = EpochRecord(state_dir)
    resume = keras.callbacks.BackupAndRestore(
        str(state_dir / "backup"), double_checkpoint=True, delete_checkpoint=False
    )
    patience = keras.callbacks.EarlyStopping(patience=PATIENCE)
    network.fit(
        feed.batches,
        epochs=epochs,
        shuffle=False,  # the batches shuffle themselves; Keras' shuffle would not survive a resume
        validation_data=(feed.inputs, target.labels(feed.true_values)),
        validation_batch_size=256,
        # The record comes before the backup: an epoch that is killed in between is only done twice.
        callbacks=[FollowEpoch(feed.batches), record, patience, resume],
        verbose=0,
    )
    return record.rows


def best_weights(state_dir: Path) -> list[np.ndarray]:
    """Weights of the epoch with the lowest validation loss, in the order of `keras.Model.get_weights`."""
    with np.load(state_dir / BEST) as stored:
        return [stored[name] for name in stored.files]


class EpochRecord(keras.callbacks.Callback):
    """Keeps the history and the best weights in a folder, both complete at any moment."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.rows: list[dict[str, float]] = []
        if (history := folder / "history.json").is_file():
            self.rows = json.loads(history.read_text())
        self.started = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.started = time.monotonic()
        # An epoch that is run again takes the place of its row.
        self.rows = [row for row in self.rows if row["epoch"] <= epoch]

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        values = {name: float(value) for name, value in (logs or {}).items()}
        row = {"epoch": epoch + 1, **values, "seconds": round(time.monotonic() - self.started, 2)}
        if all(row["val_loss"] < earlier["val_loss"] for earlier in self.rows) or epoch == 0:
            with file_aside(self.folder / BEST) as aside:
                np.savez(aside, *self.model.get_weights())
        self.rows.append(row)
        write_text(json.dumps(self.rows), self.folder / "history.json")  # a loss may have become NaN
        log.info("epoch %d: %s", epoch + 1, ", ".join(f"{name} {value:.4g}" for name, value in row.items()))


def _metrics(target: Target) -> list[Any]:
    values = np.asarray(target.values, dtype=np.float32)

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
