"""Shapes, size and layers of the networks."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.networks.architectures import build_network

EXPORTABLE = {
    *("InputLayer", "Conv2D", "SeparableConv2D", "BatchNormalization", "ReLU", "Activation", "Dense", "Dropout"),
    *("GlobalAveragePooling2D", "MaxPooling2D", "Concatenate", "Add"),
}


def layers_of(network):
    """All layers, those of nested networks too."""
    for layer in network.layers:
        yield from layers_of(layer) if isinstance(layer, keras.Model) else (layer,)


@pytest.fixture(scope="module")
def compact():
    keras.utils.set_random_seed(1)
    return build_network("compact", task="thickness", pixels=64, classes=100)


def test_compact_fits_into_two_megabytes(compact):
    assert compact.name == "thickness"
    assert compact.count_params() * 4 < 2e6


def test_probabilities(compact):
    rng = np.random.default_rng(1)
    inputs = {"pattern": rng.random((3, 64, 64, 1), dtype=np.float32), "convergence": np.zeros((3, 1), np.float32)}
    answer = keras.ops.convert_to_numpy(compact(inputs, training=False))
    assert answer.shape == (3, 100)
    np.testing.assert_allclose(answer.sum(axis=1), 1.0, rtol=1e-5)
    assert answer.min() > 0


def test_both_inputs_reach_the_output(compact):
    rng = np.random.default_rng(1)
    pattern = rng.random((1, 64, 64, 1), dtype=np.float32)

    def answer(pattern, angle):
        inputs = {"pattern": pattern, "convergence": np.array([[angle]], np.float32)}
        return keras.ops.convert_to_numpy(compact(inputs, training=False))

    assert not np.allclose(answer(pattern, -1.0), answer(pattern, 1.0), rtol=1e-3)
    assert not np.allclose(answer(pattern, 0.0), answer(2 - pattern, 0.0), rtol=1e-3)


@pytest.mark.parametrize("recipe", ["compact", "paper"])
def test_only_layers_that_export_well(recipe):
    """Checks the paper's architecture, too: Xception's 36 convolutions, then the angle and 2 x 1024 nodes."""
    network = build_network(recipe, task="mistilt", pixels=72, classes=11)
    layers = list(layers_of(network))
    assert {type(layer).__name__ for layer in layers} <= EXPORTABLE
    if recipe == "paper":
        convolutions = [layer for layer in layers if type(layer).__name__ in ("Conv2D", "SeparableConv2D")]
        assert len(convolutions) == 36 + 4  # and four shortcuts
        dense = [layer.units for layer in layers if type(layer).__name__ == "Dense"]
        assert dense == [1024, 1024, 11]
        assert [layer.rate for layer in layers if type(layer).__name__ == "Dropout"] == [0.2, 0.2]
        first = next(layer for layer in layers if type(layer).__name__ == "Dense")
        assert first.kernel.shape[0] == 2048 + 1  # the convergence angle enters before the dense layers


def test_unknown_recipe():
    with pytest.raises(ParameterError, match="compact, paper"):
        build_network("large", task="scale", pixels=64, classes=3)
