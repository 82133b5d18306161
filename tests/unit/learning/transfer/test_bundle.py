"""A training that begins with the networks of a bundle."""

from __future__ import annotations

import json
import zipfile

import keras
import numpy as np
import pytest

from pacbed.bundle.pretrained.half_weights import halve_weights
from pacbed.errors import ParameterError
from pacbed.learning.transfer.bundle import folded_convolutions, take_over_folded
from pacbed.networks.architectures import build_network, compact_outputs, single_network

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
RADII, ANGLES = 32, 64


def compact(classes):
    return build_network(compact_outputs, input_shape=(RADII, ANGLES), class_counts=classes)


def some_inputs(rng, count=40):
    patterns = rng.random((count, RADII, ANGLES, 1), dtype=np.float32)
    return {"pattern": patterns, "convergence": rng.standard_normal((count, 1)).astype(np.float32)}


def features(network, inputs, *, training=False):
    """What the last convolution and its batch norm give."""
    last = [layer for layer in network.layers if isinstance(layer, keras.layers.ReLU)][4]
    return keras.ops.convert_to_numpy(keras.Model(network.input, last.output)(inputs, training=training))


@pytest.fixture(scope="module")
def trained():
    """A network whose batch norms have learnt something."""
    keras.utils.set_random_seed(3)
    network, rng = compact({"thickness": 9}), np.random.default_rng(3)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            count = len(layer.get_weights()[0])
            layer.set_weights([rng.uniform(low, 1.5, count) for low in (0.5, -0.5, -0.2, 0.1)])
    return network


@pytest.fixture(scope="module")
def model(trained, tmp_path_factory):
    """Its ONNX file, in half precision as bundles that ship have it."""
    path = tmp_path_factory.mktemp("onnx") / "thickness.onnx"
    single = single_network(trained, "thickness")
    single(some_inputs(np.random.default_rng(0), 1))  # Keras exports no network that has never been asked
    single.export(str(path), format="onnx", verbose=False, opset_version=17)
    return halve_weights(path.read_bytes())


@pytest.fixture
def bundle(model, tmp_path):
    path = tmp_path / "other.pacbed"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thickness.onnx", model)
        archive.writestr("thickness.json", json.dumps({"settings": {"recipe": "compact"}}))
    return path


@pytest.mark.parametrize("folder", [False, True])
def test_the_convolutions_of_a_bundle_do_what_they_did(trained, bundle, folder, tmp_path):
    """Frozen, to the rounding of half precision; and with the statistics of a batch nearly the same."""
    keras.utils.set_random_seed(5)
    network, inputs = compact({"thickness": 4, "mistilt": 3}), some_inputs(np.random.default_rng(1))
    if folder:
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(tmp_path / "open.pacbed")
        bundle = tmp_path / "open.pacbed"
    dense = network.get_layer("thickness").get_weights()
    wanted = features(trained, inputs)
    assert np.abs(features(network, inputs) - wanted).max() > 0.1 * wanted.max()
    take_over_folded(network, bundle, inputs, task="thickness", recipe="compact")
    np.testing.assert_allclose(features(network, inputs), wanted, atol=2e-3 * wanted.max())
    np.testing.assert_allclose(features(network, inputs, training=True), wanted, atol=1e-2 * wanted.max())
    for before, after in zip(dense, network.get_layer("thickness").get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_every_convolution_is_found_in_its_order(trained, model):
    kernels = [layer.kernel.shape for layer in trained.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [one.kernel.shape for one in folded_convolutions(model)] == kernels


@pytest.mark.parametrize(
    ("spoil", "recipe", "message"),
    [
        (lambda members: members.pop("thickness.onnx"), "compact", "a bundle with a network of the recipe compact"),
        (lambda members: members.pop("thickness.json"), "compact", "a bundle with a network of the recipe compact"),
        (lambda members: members.update({"thickness.onnx": b"none"}), "compact", "a bundle with a network of the"),
        (lambda members: None, "paper", "the recipe compact for both"),
        (
            lambda members: members.update({"thickness.json": b'{"settings": {"recipe": "paper"}}'}),
            "compact",
            "the recipe compact for both",
        ),
    ],
)
def test_what_is_no_bundle_to_start_from(bundle, tmp_path, spoil, recipe, message):
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    spoil(members)
    other = tmp_path / "spoilt.pacbed"
    with zipfile.ZipFile(other, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    network = compact({"thickness": 4})
    with pytest.raises(ParameterError, match=rf"^start_from: got .*, accepted: {message}[^\n]*\Z"):
        take_over_folded(network, other, {}, task="thickness", recipe=recipe)


def test_convolutions_of_other_shapes_are_refused(bundle):
    network = build_network(small_outputs, input_shape=(RADII, ANGLES), class_counts={"thickness": 4})
    with pytest.raises(ParameterError, match="a bundle whose 1 convolutions have the shapes of the new ones"):
        take_over_folded(network, bundle, {}, task="thickness", recipe="compact")


def small_outputs(pattern, convergence, class_counts):
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(2, 3, use_bias=False)(pattern))
    x = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling2D()(x), convergence])
    return {task: keras.layers.Dense(count, activation="softmax")(x) for task, count in class_counts.items()}
