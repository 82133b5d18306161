"""What networks begin with: published weights, or convolutions of another network, frozen first."""

from __future__ import annotations

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from pacbed.errors import ParameterError
from pacbed.learning.train_network import train_network
from pacbed.learning.transfer.begin import begin, read_published
from pacbed.learning.transfer.keras_files import convolutional_layers, set_frozen, take_over
from pacbed.learning.transfer.parts import parts_of
from pacbed.networks.architectures import build_network, compact_outputs, single_network

# Keras hands h5py its TensorFlow variables, whose conversion numpy 2 wants spelled otherwise; nothing of ours.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",
    "ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning",
)
TASKS = ("scale", "thickness", "mistilt")


def compact(classes, *, radii=32):
    return build_network(compact_outputs, input_shape=(radii, 64), class_counts=classes)


def convolutions(network):
    return [array for layer in convolutional_layers(network) for array in layer.get_weights()]


def same(some, others):
    return [np.array_equal(a, b) for a, b in zip(some, others, strict=True)]


@pytest.fixture(scope="module")
def trained_dir(tmp_path_factory):
    """Three networks of the recipe compact, as another system's training leaves them."""
    folder = tmp_path_factory.mktemp("models")
    keras.utils.set_random_seed(7)
    together = compact({"scale": 5, "thickness": 9, "mistilt": 3})
    for task in TASKS:
        single_network(together, task).save(folder / f"{task}.keras")
        (folder / f"{task}.json").write_text(json.dumps({"settings": {"recipe": "compact"}}))
    return folder


def test_convolutions_are_taken_over_and_nothing_else(trained_dir):
    """From a network with other classes; the five convolutions have a batch norm each."""
    network, trained = compact({"thickness": 4, "mistilt": 2}), keras.models.load_model(trained_dir / "mistilt.keras")
    dense = network.get_layer("thickness").get_weights()
    assert not all(same(convolutions(network), convolutions(trained)))
    take_over(network, trained_dir, task="thickness", recipe="compact")
    assert all(same(convolutions(network), convolutions(trained)))
    assert len(convolutions(network)) == 5 + 4 * 5
    assert all(same(dense, network.get_layer("thickness").get_weights()))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "scale.json").unlink(), r"a folder with scale\.keras and scale\.json"),
        (lambda folder: (folder / "scale.json").write_text("{}"), r"a folder with scale\.keras and scale\.json"),
        (lambda folder: (folder / "scale.keras").write_bytes(b"PK"), "a network that Keras can read"),
        (
            lambda folder: (folder / "scale.json").write_text('{"settings": {"recipe": "paper"}}'),
            "networks of the recipe compact",
        ),
        (
            lambda folder: keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3)]).save(folder / "scale.keras"),
            "networks whose 10 convolutions and batch norms have the shapes of the new ones",
        ),
    ],
)
def test_what_is_no_network_to_start_from(trained_dir, tmp_path, spoil, message):
    for path in trained_dir.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    spoil(tmp_path)
    network = compact({"scale": 5})
    before = convolutions(network)
    with pytest.raises(ParameterError, match=rf"^start_from: got .*, accepted: {message}[^\n]*\Z"):
        take_over(network, tmp_path, task="scale", recipe="compact")
    assert all(same(before, convolutions(network)))


def test_parts_of_a_training(make_settings):
    (whole,) = parts_of(make_settings(), 7)
    assert (list(whole.epochs), whole.learning_rate, whole.frozen) == (list(range(7)), 2e-3, False)
    settings = make_settings(start_from="models", freeze=0.3, fine_tuning=0.1)
    frozen, rest = parts_of(settings, 10)
    assert (frozen.epochs, frozen.learning_rate, frozen.frozen) == (range(3), 2e-3, True)
    assert (rest.epochs, rest.learning_rate, rest.frozen) == (range(3, 10), pytest.approx(2e-4), False)
    assert [part.name for part in parts_of(settings, 1)] == ["whole"]
    assert [part.epochs for part in parts_of(settings, 2)] == [range(1), range(1, 2)]
    assert [part.name for part in parts_of(make_settings(start_from="models", freeze=0.0), 5)] == ["whole"]
    assert [part.epochs for part in parts_of(make_settings(start_from="models", freeze=0.99), 5)][1] == range(4, 5)


def test_frozen_convolutions_do_not_learn():
    network = compact({"thickness": 4})
    everything = len(network.trainable_variables)
    set_frozen(network, True)
    assert len(network.trainable_variables) == 4  # two dense layers
    set_frozen(network, False)
    assert len(network.trainable_variables) == everything


def test_published_weights_reach_the_network_inside(tmp_path, small_paper, caplog):
    from pacbed.learning.recipes import recipe_named

    def network():
        return build_network(recipe_named("paper").architecture, input_shape=(24, 24), class_counts={"thickness": 4})

    keras.utils.set_random_seed(1)
    published, fresh = network(), network()
    (body,) = (layer for layer in published.layers if isinstance(layer, keras.Model))
    body.save(tmp_path / "whole.h5")  # the layout of the files of `keras.applications`
    body.save_weights(tmp_path / "body.weights.h5")
    for name in ("whole.h5", "body.weights.h5"):
        fresh = network()
        assert not all(same(convolutions(fresh), convolutions(published)))
        settings = replace(small_paper, weights=str(tmp_path / name))
        assert begin(fresh, settings, {}, task="thickness", published=True) == f"weights of {name}"
        assert all(same(convolutions(fresh), convolutions(published)))
    with caplog.at_level("INFO", "pacbed"):
        assert begin(fresh, small_paper, {}, task="thickness", published=True) == "random weights"
    assert "thickness: begins with random weights; training.weights names a file" in caplog.text


@pytest.mark.parametrize("content", [None, b"no weights", "other"])
def test_a_file_of_other_weights_is_refused(tmp_path, small_paper, content):
    from pacbed.learning.recipes import recipe_named

    network = build_network(recipe_named("paper").architecture, input_shape=(24, 24), class_counts={"thickness": 4})
    path = tmp_path / "xception.h5"
    if content == "other":
        keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 3)]).save(path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"^weights: got '.*, accepted: a file \(\.h5\) of weights of tiny_.*\Z"):
        read_published(network, path)


@pytest.mark.usefixtures("untraced")
def test_a_training_starts_from_another(tiny_table_dir, stack_dir, small_paper, outputs, tmp_path):
    """Convolutions that are frozen stay as they were; the model card tells where they are from."""
    first = {"out_dir": tmp_path / "first", "state_dir": tmp_path / "first" / ".state"}
    train_network(tiny_table_dir, stack_dir, small_paper, **first)
    before = convolutions(keras.models.load_model(first["out_dir"] / "thickness.keras", compile=False))

    # A rate of nearly nothing after the frozen epoch: convolutions are those that were taken over, to rounding.
    changes = {"start_from": str(first["out_dir"]), "freeze": 0.5, "fine_tuning": 1e-9, "seed": 9}
    train_network(tiny_table_dir, stack_dir, replace(small_paper, **changes), **outputs)
    content = json.loads((outputs["out_dir"] / "thickness.json").read_text())
    assert content["card"]["begun_with"] == f"convolutions of {first['out_dir']}"
    assert content["card"]["epochs"] == 2
    network = keras.models.load_model(outputs["out_dir"] / "thickness.keras", compile=False)
    moved = [np.abs(a - b).max() for a, b in zip(convolutions(network), before, strict=True) if a.ndim > 1]
    assert max(moved) < 1e-6
    heads = [
        keras.models.load_model(folder / "thickness.keras", compile=False).get_layer("thickness").get_weights()[0]
        for folder in (first["out_dir"], outputs["out_dir"])
    ]
    assert np.abs(heads[0] - heads[1]).max() > 0.1  # of other random weights
