"""Training: outputs, learning, determinism, resuming after a kill; the paper's recipe for one step."""

from __future__ import annotations

import csv
import json

import keras
import numpy as np
import pytest
from matplotlib.image import imread

from pacbed.errors import FormatError
from pacbed.learning import training
from pacbed.learning.fitting import EpochRecord
from pacbed.learning.training import train_network

# Keras hands h5py its TensorFlow variables, whose conversion numpy 2 wants spelled otherwise; nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture
def untraced():
    """Run TensorFlow step by step: tracing a network takes far longer than the few steps of a test."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow

    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


def history_of(settings):
    with open(settings["out_history_csv"], encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.mark.parametrize("recipe", ["compact", "paper"])
def test_a_stack_of_another_system_trains_nothing(tiny_table_dir, stack_dir, settings, at_another_voltage, recipe):
    with pytest.raises(FormatError, match=r"stack: got .*300 keV, accepted: that of the table, .*200 keV"):
        train_network(tiny_table_dir, at_another_voltage(stack_dir), task="thickness", **{**settings, "recipe": recipe})
    assert not settings["state_dir"].exists()
    assert not settings["out_keras"].exists()


def test_training_leaves_network_description_history_and_curves(tiny_table_dir, stack_dir, settings):
    train_network(tiny_table_dir, stack_dir, task="thickness", **settings)
    network = keras.models.load_model(settings["out_keras"], compile=False)
    assert network.output_shape == (None, 4)
    description = json.loads(settings["out_keras"].with_suffix(".json").read_text())
    assert description["class_values"] == settings["thickness_nm"]
    assert description["class_unit"] == "nm"
    assert (description["convergence_center_mrad"], description["pixels"]) == (13.5, 24)
    assert description["ranges"]["scale"] == [0.9, 1.1]
    rows = history_of(settings)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert description["validation"]["loss"] == pytest.approx(min(row["val_loss"] for row in rows))
    assert 0.5 < description["validation"]["label_entropy"] <= description["validation"]["loss"]
    assert imread(settings["out_curves_png"]).std() > 0.05
    assert not settings["state_dir"].exists()
    assert sorted(path.name for path in settings["out_keras"].parent.iterdir()) == [
        *("thickness.json", "thickness.keras", "thickness_curves.png", "thickness_history.csv")
    ]


@pytest.mark.usefixtures("untraced")
@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning")
def test_a_killed_training_goes_on_where_it_was(tiny_table_dir, stack_dir, settings, tmp_path, monkeypatch):
    """Killed in the third epoch and started again, it ends with the history of an undisturbed run."""
    undisturbed = {**settings, "out_history_csv": tmp_path / "a.csv", "state_dir": tmp_path / "a"}
    train_network(tiny_table_dir, stack_dir, task="mistilt", **undisturbed)

    end_of_epoch = EpochRecord.on_epoch_end

    def killed(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt
        end_of_epoch(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(EpochRecord, "on_epoch_end", killed)
        with pytest.raises(KeyboardInterrupt):
            train_network(tiny_table_dir, stack_dir, task="mistilt", **settings)
    assert not settings["out_history_csv"].exists()
    begun = []
    patched_begin = EpochRecord.on_epoch_begin

    def noted(self, epoch, logs=None):
        begun.append(epoch)
        patched_begin(self, epoch, logs)

    monkeypatch.setattr(EpochRecord, "on_epoch_begin", noted)
    train_network(tiny_table_dir, stack_dir, task="mistilt", **settings)
    assert begun == [2]
    for resumed, straight in zip(history_of(settings), history_of(undisturbed), strict=True):
        assert resumed["loss"] == pytest.approx(straight["loss"], rel=1e-3)
        assert resumed["val_loss"] == pytest.approx(straight["val_loss"], rel=1e-3)


@pytest.mark.usefixtures("untraced")
@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning")
def test_a_training_killed_after_its_last_epoch_only_writes(tiny_table_dir, stack_dir, settings, monkeypatch):
    short = {**settings, "samples": 64, "epochs": 1}

    def fail(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(training, "draw_curves", fail)
        with pytest.raises(OSError, match="disk full"):
            train_network(tiny_table_dir, stack_dir, task="scale", **short)
    assert not settings["out_keras"].exists()
    train_network(tiny_table_dir, stack_dir, task="scale", **short)
    assert [row["epoch"] for row in history_of(settings)] == [1]
    assert settings["out_keras"].exists()


@pytest.mark.usefixtures("untraced")
@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning")
def test_paper_recipe_trains_a_step_on_the_stack(tiny_table_dir, stack_dir, settings):
    changes = {"recipe": "paper", "pixels": 72, "samples": 4, "validation_samples": 4, "epochs": 1, "batch_size": 4}
    train_network(tiny_table_dir, stack_dir, task="scale", **{**settings, **changes})
    description = json.loads(settings["out_keras"].with_suffix(".json").read_text())
    assert description["weights"] > 20e6
    assert np.isfinite(description["validation"]["loss"])
    np.testing.assert_allclose(description["class_values"], np.arange(0.7, 1.41, 0.05))
