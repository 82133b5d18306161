"""Rule train_network: outputs, learning, resuming after a kill; the paper's recipe for one step."""

from __future__ import annotations

import csv
import json

import keras
import numpy as np
import pytest
from matplotlib.image import imread

from pacbed.errors import FormatError, ParameterError
from pacbed.learning.export_networks import export_networks
from pacbed.learning.rendered.feed import FramedSet
from pacbed.learning.train_network import train_network
from pacbed.networks.description import NetworkDescription
from pacbed.networks.frame import PolarFrame
from pacbed.networks.model_card import ModelCard
from pacbed.networks.trained import TrainedNetwork

# Keras hands h5py its TensorFlow variables, whose conversion numpy 2 wants spelled otherwise; nothing of ours.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",
    "ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning",
)


TASKS = ("scale", "thickness", "mistilt")


def epochs(count):
    return dict.fromkeys(TASKS, count)


def history_of(outputs, task="thickness"):
    with open(outputs["out_dir"] / f"{task}_history.csv", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def description_of(outputs, task="thickness"):
    return json.loads((outputs["out_dir"] / f"{task}.json").read_text())


def weights_of(outputs, task):
    return keras.models.load_model(outputs["out_dir"] / f"{task}.keras", compile=False).get_weights()


@pytest.mark.parametrize("recipe", ["compact", "paper"])
def test_a_stack_of_another_system_trains_nothing(
    tiny_table_dir, stack_dir, make_settings, outputs, at_another_voltage, recipe
):
    with pytest.raises(FormatError, match=r"stack: got .*300 keV, accepted: that of the table, .*200 keV"):
        train_network(tiny_table_dir, at_another_voltage(stack_dir), make_settings(recipe=recipe), **outputs)
    assert not outputs["out_dir"].exists()


def test_an_unknown_recipe_trains_nothing(tiny_table_dir, stack_dir, make_settings, outputs):
    with pytest.raises(ParameterError, match="recipe: got 'large', accepted: one of compact, paper"):
        train_network(tiny_table_dir, stack_dir, make_settings(recipe="large"), **outputs)
    assert not outputs["out_dir"].exists()


def test_training_leaves_networks_descriptions_histories_and_curves(tiny_table_dir, stack_dir, make_settings, outputs):
    settings = make_settings()
    train_network(tiny_table_dir, stack_dir, settings, **outputs)
    assert sorted(path.name for path in outputs["out_dir"].iterdir()) == sorted(
        f"{task}{end}" for task in TASKS for end in (".json", ".keras", "_curves.png", "_history.csv")
    )
    for task, classes in (("scale", 15), ("thickness", 4), ("mistilt", 3)):
        network = keras.models.load_model(outputs["out_dir"] / f"{task}.keras", compile=False)
        content = description_of(outputs, task)
        described = NetworkDescription.from_json(task, content)
        assert network.input["pattern"].shape == (None, 32, 64, 1)
        assert network.output["probability"].shape == (None, classes)
        assert ("azimuth" in network.output) == (task == "mistilt")
        assert described.frame == PolarFrame(pixels=24)
        assert described.mirror  # the tiny crystal has mirrors
        assert described.convergence == settings.convergence
        assert described.calibration.temperature > 0
        assert len(described.calibration.std) == 1  # of few patterns
        assert content["weights"] == network.count_params()
        rows = history_of(outputs, task)
        assert [row["epoch"] for row in rows] == [1, 2, 3]
        kept = rows[content["validation"]["epoch"] - 1]
        assert content["validation"]["loss"] == pytest.approx(kept["val_loss"])
        assert imread(outputs["out_dir"] / f"{task}_curves.png").std() > 0.05
    rows, content = history_of(outputs), description_of(outputs)
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert 0.5 < content["validation"]["label_entropy"] <= content["validation"]["loss"]
    assert content["class_values"] == [2.0, 4.0, 6.0, 8.0]
    assert content["ranges"]["scale"] == [0.9, 1.1]
    assert (content["settings"]["samples"], content["settings"]["scale_range"]) == (192, [0.9, 1.6])
    assert description_of(outputs, "mistilt")["direction"]["std"]
    card = ModelCard.from_json(content["card"])
    assert (card.recipe, card.begun_with, card.seed, card.calibrated) == ("compact", "random weights", 3, True)
    assert (card.training_patterns, card.validation_patterns, card.epochs) == (192, 32, 3)
    assert card.best_epoch == content["validation"]["epoch"]
    assert card.validation_loss == content["validation"]["loss"]
    assert card.cpu_seconds == pytest.approx(sum(row["cpu_seconds"] for row in rows), abs=0.1)
    assert 0 < card.waiting < 1


@pytest.mark.usefixtures("untraced")
def test_a_killed_training_gives_the_same_network(
    tiny_table_dir, stack_dir, make_settings, outputs, tmp_path, killed_in
):
    """Killed in its second epoch and started again, it ends where an undisturbed one does."""
    settings = make_settings(samples=96, epochs=epochs(2))
    undisturbed = {"out_dir": tmp_path / "undisturbed", "state_dir": tmp_path / "undisturbed" / ".state"}
    train_network(tiny_table_dir, stack_dir, settings, **undisturbed)

    with killed_in(1):
        train_network(tiny_table_dir, stack_dir, settings, **outputs)
    assert outputs["state_dir"].exists()
    assert not (outputs["out_dir"] / "thickness_history.csv").exists()
    train_network(tiny_table_dir, stack_dir, settings, **outputs)
    for task in TASKS:
        for array, reference in zip(weights_of(outputs, task), weights_of(undisturbed, task), strict=True):
            np.testing.assert_allclose(array, reference, rtol=1e-3, atol=1e-5)
        found, expected = (description_of(paths, task)["validation"] for paths in (outputs, undisturbed))
        assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.usefixtures("untraced")
def test_a_training_killed_after_its_last_epoch_only_writes(tiny_table_dir, stack_dir, make_settings, outputs, caplog):
    """Its curves cannot be written at first; what was trained is not trained again."""
    settings = make_settings(samples=64, epochs=epochs(1))
    (outputs["out_dir"] / "scale_curves.png").mkdir(parents=True)
    with pytest.raises(OSError, match="scale_curves"):
        train_network(tiny_table_dir, stack_dir, settings, **outputs)
    assert list(outputs["out_dir"].glob("*.keras")) == []
    assert [path.name for path in outputs["out_dir"].glob("*part*")] == []
    (outputs["out_dir"] / "scale_curves.png").rmdir()
    caplog.clear()
    with caplog.at_level("INFO", "pacbed"):
        train_network(tiny_table_dir, stack_dir, settings, **outputs)
    assert "continuing" in caplog.text
    assert "epoch 1:" not in caplog.text
    assert [row["epoch"] for row in history_of(outputs)] == [1]
    assert len(list(outputs["out_dir"].glob("*.keras"))) == 3


def test_shuffled_labels_are_not_learnt(tiny_table_dir, stack_dir, make_settings, outputs, monkeypatch):
    """Thicknesses that belong to other patterns: no better on unseen patterns than the labels' own frequency."""
    truth = FramedSet.true_values

    def shuffled(self, chosen, placement, told_mrad):
        values = truth(self, chosen, placement, told_mrad)
        order = np.random.default_rng(7).permutation(len(self.drawn))
        return values | {"thickness": self.drawn.thickness_nm[order][chosen]}

    monkeypatch.setattr(FramedSet, "true_values", shuffled)
    settings = make_settings(samples=256, validation_samples=256, epochs=epochs(3))
    train_network(tiny_table_dir, stack_dir, settings, **outputs)
    mistilt, thickness = (description_of(outputs, task)["validation"] for task in ("mistilt", "thickness"))
    assert thickness["top1"] < 0.36  # four classes
    assert mistilt["loss"] < np.log(3) - 0.02  # while what was not shuffled is learnt, from the same patterns


@pytest.mark.usefixtures("untraced")
def test_a_killed_training_of_the_paper_gives_the_same_network(
    tiny_table_dir, stack_dir, small_paper, outputs, tmp_path, killed_in
):
    """Killed in its second epoch: dropout, augmentation and Adam's moments go on as they would."""
    undisturbed = {"out_dir": tmp_path / "undisturbed", "state_dir": tmp_path / "undisturbed" / ".state"}
    train_network(tiny_table_dir, stack_dir, small_paper, **undisturbed)
    with killed_in(1):
        train_network(tiny_table_dir, stack_dir, small_paper, **outputs)
    train_network(tiny_table_dir, stack_dir, small_paper, **outputs)
    pairs = zip(weights_of(outputs, "thickness"), weights_of(undisturbed, "thickness"), strict=True)
    for array, reference in pairs:
        np.testing.assert_allclose(array, reference, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("untraced")
def test_a_network_of_the_paper_is_exported_and_asked(tiny_table_dir, stack_dir, small_paper, outputs):
    """From the stack to the probabilities of a pattern, through ONNX."""
    train_network(tiny_table_dir, stack_dir, small_paper, **outputs)
    file = outputs["out_dir"] / "thickness.keras"
    network = keras.models.load_model(file, compile=False)
    kernel, bias = network.get_layer("thickness").get_weights()
    network.get_layer("thickness").set_weights([20 * kernel, bias])  # two epochs alone would say little
    network.save(file)
    export_networks([file], table_dir=tiny_table_dir, out_dir=outputs["out_dir"])
    report = json.loads((outputs["out_dir"] / "parity.json").read_text())["thickness"]
    assert report["largest_difference"] < 2e-5 < report["variation"]
    description = NetworkDescription.from_json("thickness", description_of(outputs))
    thickness = TrainedNetwork(description, (outputs["out_dir"] / "thickness.onnx").read_bytes)
    image = np.random.default_rng(1).random((24, 24))
    answer = thickness.answer(image, 13.5)
    assert answer.probability.shape == (4,)
    assert answer.probability.sum() == pytest.approx(1.0, abs=1e-5)
    assert answer.direction is None
    card = ModelCard.from_json(description_of(outputs)["card"])
    assert (card.recipe, card.calibrated, card.epochs) == ("paper", False, 2)


@pytest.mark.usefixtures("untraced")
def test_paper_recipe_trains_a_step_on_the_stack(tiny_table_dir, stack_dir, make_settings, outputs):
    """Each task has a network and epochs of its own, and the old Cartesian input."""
    changes = {"recipe": "paper", "pixels": 72, "samples": 4, "validation_samples": 4, "batch_size": 4}
    settings = make_settings(**changes, epochs={**epochs(1), "thickness": 2}, scale_range=[0.7, 1.4])
    train_network(tiny_table_dir, stack_dir, settings, **outputs)
    content = description_of(outputs, "scale")
    assert content["weights"] > 20e6
    assert content["frame"] is None
    assert np.isfinite(content["validation"]["loss"])
    np.testing.assert_allclose(content["class_values"], np.arange(0.7, 1.41, 0.05))
    assert [len(history_of(outputs, task)) for task in TASKS] == [1, 2, 1]
