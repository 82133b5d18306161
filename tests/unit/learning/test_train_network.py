"""Rule train_network: outputs, learning, resuming after a kill; the paper's recipe for one step."""

from __future__ import annotations

import csv
import json

import keras
import numpy as np
import pytest
from matplotlib.image import imread

from pacbed.errors import FormatError, ParameterError
from pacbed.learning.train_network import train_network
from pacbed.learning.training_loop import EpochRecord
from pacbed.networks.description import NetworkDescription

# Keras hands h5py its TensorFlow variables, whose conversion numpy 2 wants spelled otherwise; nothing of ours.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",
    "ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning",
)


def history_of(outputs):
    with open(outputs["out_history_csv"], encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def description_of(outputs):
    return json.loads(outputs["out_keras"].with_suffix(".json").read_text())


@pytest.mark.parametrize("recipe", ["compact", "paper"])
def test_a_stack_of_another_system_trains_nothing(
    tiny_table_dir, stack_dir, make_settings, outputs, at_another_voltage, recipe
):
    with pytest.raises(FormatError, match=r"stack: got .*300 keV, accepted: that of the table, .*200 keV"):
        train_network(tiny_table_dir, at_another_voltage(stack_dir), make_settings(recipe=recipe), **outputs)
    assert not outputs["out_keras"].parent.exists()


def test_an_unknown_recipe_trains_nothing(tiny_table_dir, stack_dir, make_settings, outputs):
    with pytest.raises(ParameterError, match="recipe: got 'large', accepted: one of compact, paper"):
        train_network(tiny_table_dir, stack_dir, make_settings(recipe="large"), **outputs)
    assert not outputs["out_keras"].parent.exists()


def test_training_leaves_network_description_history_and_curves(tiny_table_dir, stack_dir, make_settings, outputs):
    settings = make_settings()
    train_network(tiny_table_dir, stack_dir, settings, **outputs)
    network = keras.models.load_model(outputs["out_keras"], compile=False)
    assert network.output_shape == (None, 4)
    content = description_of(outputs)
    described = NetworkDescription.from_json("thickness", content)
    assert described.classes.values.tolist() == [2.0, 4.0, 6.0, 8.0]
    assert (described.pixels, described.max_angle_mrad) == (24, 21.0)
    assert described.convergence == settings.convergence
    assert content["ranges"]["scale"] == [0.9, 1.1]
    assert (content["settings"]["samples"], content["settings"]["scale_range"]) == (192, [0.7, 1.4])
    assert content["weights"] == network.count_params()
    rows = history_of(outputs)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert content["validation"]["loss"] == pytest.approx(min(row["val_loss"] for row in rows))
    assert 0.5 < content["validation"]["label_entropy"] <= content["validation"]["loss"]
    assert imread(outputs["out_curves_png"]).std() > 0.05
    assert sorted(path.name for path in outputs["out_keras"].parent.iterdir()) == [
        *("thickness.json", "thickness.keras", "thickness_curves.png", "thickness_history.csv")
    ]


@pytest.mark.usefixtures("untraced")
def test_a_killed_training_gives_the_same_network(
    tiny_table_dir, stack_dir, make_settings, outputs, tmp_path, monkeypatch
):
    """Killed in its second epoch and started again, it ends where an undisturbed one does."""
    settings = make_settings(task="mistilt", samples=96, epochs=2)
    undisturbed = {name: tmp_path / "undisturbed" / path.name for name, path in outputs.items()}
    train_network(tiny_table_dir, stack_dir, settings, **undisturbed)

    end_of_epoch = EpochRecord.on_epoch_end

    def killed(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        end_of_epoch(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(EpochRecord, "on_epoch_end", killed)
        with pytest.raises(KeyboardInterrupt):
            train_network(tiny_table_dir, stack_dir, settings, **outputs)
    assert outputs["state_dir"].exists()
    assert not outputs["out_history_csv"].exists()
    train_network(tiny_table_dir, stack_dir, settings, **outputs)
    found, expected = (keras.models.load_model(paths["out_keras"]).get_weights() for paths in (outputs, undisturbed))
    for array, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, reference, rtol=1e-3, atol=1e-5)
    assert description_of(outputs)["validation"] == pytest.approx(description_of(undisturbed)["validation"], rel=1e-3)


@pytest.mark.usefixtures("untraced")
def test_a_training_killed_after_its_last_epoch_only_writes(tiny_table_dir, stack_dir, make_settings, outputs, caplog):
    """Its curves cannot be written at first; what was trained is not trained again."""
    settings = make_settings(task="scale", samples=64, epochs=1)
    outputs["out_curves_png"].mkdir(parents=True)
    with pytest.raises(OSError, match="thickness_curves"):
        train_network(tiny_table_dir, stack_dir, settings, **outputs)
    assert not outputs["out_keras"].exists()
    assert [path.name for path in outputs["out_keras"].parent.glob("*part*")] == []
    outputs["out_curves_png"].rmdir()
    caplog.clear()
    with caplog.at_level("INFO", "pacbed"):
        train_network(tiny_table_dir, stack_dir, settings, **outputs)
    assert "continuing" in caplog.text
    assert "epoch 1:" not in caplog.text
    assert [row["epoch"] for row in history_of(outputs)] == [1]
    assert outputs["out_keras"].exists()


@pytest.mark.usefixtures("untraced")
def test_paper_recipe_trains_a_step_on_the_stack(tiny_table_dir, stack_dir, make_settings, outputs):
    changes = {"recipe": "paper", "pixels": 72, "samples": 4, "validation_samples": 4, "epochs": 1, "batch_size": 4}
    train_network(tiny_table_dir, stack_dir, make_settings(task="scale", **changes), **outputs)
    content = description_of(outputs)
    assert content["weights"] > 20e6
    assert np.isfinite(content["validation"]["loss"])
    np.testing.assert_allclose(content["class_values"], np.arange(0.7, 1.41, 0.05))
