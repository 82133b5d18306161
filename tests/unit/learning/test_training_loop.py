"""The loop on a network of one layer: its loss, its patience, what it keeps, and how it goes on after a kill."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras import layers

from pacbed.learning.feed import Feed, LabelledPatterns
from pacbed.learning.optimisers import cosine_adamw
from pacbed.learning.training_loop import best_weights, claim_folder, rows_of, run_training, without_gain

# Keras hands h5py its TensorFlow variables, whose conversion numpy 2 wants spelled otherwise; nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
EPOCHS = 4


class Bars:
    """Patterns with one bright row, whose number tells the thickness; three batches of sixteen, noisy in each epoch."""

    batch_size = 16

    def __len__(self):
        return 3

    def batch(self, epoch, index, rng):
        rows = rng.integers(0, 4, 16)
        images = 0.3 * rng.standard_normal((16, 4, 4)).astype(np.float32)
        images[np.arange(16), rows] += 1
        return LabelledPatterns(images, np.full(16, 13.5), {"thickness": 2.0 + 2 * rows})


class Trained(NamedTuple):
    rows: list
    network: keras.Model
    feed: Feed
    state_dir: Path


def judged(*, wrongly=False):
    """Validation patterns; wrongly, with the labels of the opposite rows."""
    bars = Bars().batch(99, 0, np.random.default_rng(9))
    values = bars.true_values["thickness"]
    return bars._replace(true_values={"thickness": 10.0 - values}) if wrongly else bars


@pytest.fixture(scope="module")
def train(make_settings):
    """Trains one layer on bars."""

    def train(state_dir, *, first=0, epochs=EPOCHS, validation=None):
        settings = make_settings()
        state_dir.mkdir(exist_ok=True)
        keras.utils.set_random_seed(2)
        pattern, convergence = keras.Input((4, 4, 1), name="pattern"), keras.Input((1,), name="convergence")
        both = layers.Concatenate()([layers.Flatten()(pattern), convergence])
        inputs = {"pattern": pattern, "convergence": convergence}
        network = keras.Model(inputs, {"thickness": layers.Dense(4, activation="softmax", name="thickness")(both)})
        classes = {"thickness": settings.classes_of("thickness")}
        feed = Feed.of(Bars(), validation or judged(), settings, classes)
        optimiser = cosine_adamw(0.05, epochs * len(feed.batches))
        rows = run_training(network, feed, optimiser, epochs=range(first, epochs), state_dir=state_dir)
        return Trained(rows_of(rows, "thickness"), network, feed, state_dir)

    return train


@pytest.fixture(scope="module")
def undisturbed(train, tmp_path_factory):
    return train(tmp_path_factory.mktemp("undisturbed"))


def without_seconds(rows):
    return [{name: value for name, value in row.items() if not name.endswith("seconds")} for row in rows]


def answers(trained):
    """Class probabilities of the validation patterns."""
    return keras.ops.convert_to_numpy(trained.network(trained.feed.inputs, training=False)["thickness"]).astype(float)


def cross_entropy(trained, classes):
    """Of the validation patterns, by its formula."""
    labels = classes.labels(trained.feed.true_values["thickness"])
    return -np.mean(np.sum(labels * np.log(answers(trained)), axis=1))


def test_it_learns(undisturbed):
    rows = undisturbed.rows
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert rows[-1]["val_loss"] < rows[0]["val_loss"]
    assert rows[-1]["val_top1"] >= 0.6 > 2 * 0.25  # by chance it would be a quarter
    assert 1.0 >= rows[-1]["val_top3"] >= rows[-1]["val_top1"]


def test_the_time_for_batches_is_a_part_of_the_whole(undisturbed):
    for row in undisturbed.rows:
        assert 0 <= row["feed_seconds"] <= row["seconds"]
        assert row["cpu_seconds"] > 0


def test_every_task_has_a_history_of_its_own():
    row = {"epoch": 1, "loss": 9.0, "seconds": 2.0, "cpu_seconds": 3.0, "feed_seconds": 0.1}
    for prefix, by in (("", 1), ("val_", 2)):
        for number, task in enumerate(("scale", "thickness")):
            row |= {f"{prefix}{task}_{name}": by * (10 + number) for name in ("loss", "top1", "top3", "error")}
    (scale,), (thickness,) = rows_of([row], "scale"), rows_of([row], "thickness")
    assert (scale["loss"], scale["val_error"], scale["seconds"]) == (10, 20, 2.0)
    assert (thickness["loss"], thickness["val_loss"], thickness["epoch"]) == (11, 22, 1)


def test_loss_and_metrics_are_what_they_claim(undisturbed, make_settings):
    """The validation row of the last epoch, worked out from the network's answers."""
    classes, row = make_settings().classes_of("thickness"), undisturbed.rows[-1]
    found, true_values = classes.values[answers(undisturbed).argmax(axis=1)], undisturbed.feed.true_values["thickness"]
    assert row["val_loss"] == pytest.approx(cross_entropy(undisturbed, classes), rel=1e-4)
    assert row["val_top1"] == pytest.approx(np.mean(found == true_values), abs=1e-6)
    assert row["val_error"] == pytest.approx(np.mean(np.abs(found - true_values)), abs=1e-6)


def test_the_best_epoch_is_kept_and_ten_more_are_tried(train, tmp_path, make_settings):
    """Judged by labels of other rows, a network gets worse while it learns."""
    trained = train(tmp_path, epochs=30, validation=judged(wrongly=True))
    losses = [row["val_loss"] for row in trained.rows]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 10 < 30
    classes = make_settings().classes_of("thickness")
    assert cross_entropy(trained, classes) == pytest.approx(losses[-1], rel=1e-4)
    trained.network.set_weights(best_weights(tmp_path))
    assert cross_entropy(trained, classes) == pytest.approx(losses[best], rel=1e-4)


def test_a_killed_training_gives_the_same_network(train, undisturbed, tmp_path, killed_in):
    with killed_in(2):
        train(tmp_path)
    kept = json.loads((tmp_path / "history.json").read_text())
    assert len(kept) == 2
    resumed = train(tmp_path)
    assert resumed.rows[:2] == rows_of(kept, "thickness")  # taken over, not made again
    for row, expected in zip(without_seconds(resumed.rows), without_seconds(undisturbed.rows), strict=True):
        assert row == pytest.approx(expected, rel=1e-5)
    for weights, expected in (
        (resumed.network.get_weights(), undisturbed.network.get_weights()),
        (best_weights(tmp_path), best_weights(undisturbed.state_dir)),
    ):
        for array, reference in zip(weights, expected, strict=True):
            np.testing.assert_allclose(array, reference, rtol=1e-5, atol=1e-7)


def test_a_finished_training_is_not_trained_again(train, undisturbed):
    again = train(undisturbed.state_dir)
    assert again.rows == undisturbed.rows  # to the second
    assert np.array_equal(again.network.get_weights()[0], undisturbed.network.get_weights()[0])


def test_a_training_killed_in_its_last_patience_stops_where_it_would_have(train, tmp_path, killed_in):
    """Ten epochs without gain are counted over both starts; once they are over, nothing is trained again."""
    undisturbed = train(tmp_path / "undisturbed", epochs=30, validation=judged(wrongly=True))
    last = len(undisturbed.rows) - 1
    with killed_in(last - 3):
        train(tmp_path / "killed", epochs=30, validation=judged(wrongly=True))
    resumed = train(tmp_path / "killed", epochs=30, validation=judged(wrongly=True))
    again = train(tmp_path / "killed", epochs=30, validation=judged(wrongly=True))
    assert len(resumed.rows) == len(undisturbed.rows)
    assert again.rows == resumed.rows


def test_a_second_part_counts_on_and_goes_on_after_a_kill(train, tmp_path, killed_in):
    """Epochs three and four, as after two of another part; killed in the last."""
    undisturbed = train(tmp_path / "undisturbed", first=2)
    assert [row["epoch"] for row in undisturbed.rows] == [3, 4]
    with killed_in(3):
        train(tmp_path / "killed", first=2)
    resumed = train(tmp_path / "killed", first=2)
    assert [row["epoch"] for row in resumed.rows] == [3, 4]
    for array, reference in zip(resumed.network.get_weights(), undisturbed.network.get_weights(), strict=True):
        np.testing.assert_allclose(array, reference, rtol=1e-5, atol=1e-7)


def test_patience_counts_from_the_lowest_loss():
    rows = [{"epoch": epoch, "val_loss": abs(epoch - 4)} for epoch in range(1, 15)]
    assert not without_gain([])
    assert not without_gain(rows[:-1])
    assert without_gain(rows)


def test_what_the_loop_asks_of_keras(train, tmp_path, monkeypatch):
    asked = {}
    fit = keras.Model.fit

    def recorded(self, batches, **arguments):
        asked.update(arguments)
        return fit(self, batches, **arguments)

    monkeypatch.setattr(keras.Model, "fit", recorded)
    trained = train(tmp_path, epochs=2)
    inputs, labels = asked["validation_data"]
    assert (asked["initial_epoch"], asked["epochs"], asked["shuffle"]) == (0, 2, False)
    assert inputs is trained.feed.inputs
    np.testing.assert_array_equal(labels["thickness"], trained.feed.labels["thickness"])
    assert [type(callback).__name__ for callback in asked["callbacks"]] == [
        *("FollowEpoch", "EpochRecord", "BackupAndRestore"),
    ]
    assert trained.network.loss == {"thickness": "categorical_crossentropy"}


def test_state_of_the_same_training_is_kept(tmp_path):
    folder = tmp_path / "deep" / "state"
    claim_folder(folder, {"seed": 1, "axis": (1.0, 2.0)})
    (folder / "history.json").write_text("[]")
    claim_folder(folder, {"axis": [1.0, 2.0], "seed": 1})
    assert (folder / "history.json").exists()


def test_state_of_another_training_is_removed(tmp_path):
    folder = tmp_path / "state"
    claim_folder(folder, {"seed": 1})
    (folder / "history.json").write_text("[]")
    (folder / "training").mkdir()
    claim_folder(folder, {"seed": 2})
    assert not (folder / "history.json").exists()
    assert not (folder / "training").exists()
    (folder / "history.json").write_text("[]")
    claim_folder(folder, {"seed": 2})
    assert (folder / "history.json").exists()


def test_state_of_nobody_knows_which_training_is_removed(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "history.json").write_text("[]")
    claim_folder(tmp_path / "state", {"seed": 1})
    assert not (tmp_path / "state" / "history.json").exists()
