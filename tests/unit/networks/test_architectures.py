"""Shapes, size and layers of the networks."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pacbed.networks.architectures import build_network, compact_features, xception_features
from pacbed.networks.inputs import named_inputs

EXPORTABLE = {
    *("InputLayer", "Conv2D", "SeparableConv2D", "BatchNormalization", "ReLU", "Activation", "Dense", "Dropout"),
    *("GlobalAveragePooling2D", "MaxPooling2D", "Concatenate", "Add"),
}


def layers_of(network):
    """All layers, those of nested networks too."""
    for layer in network.layers:
        yield from layers_of(layer) if isinstance(layer, keras.Model) else (layer,)


def answer(network, patterns, angles):
    """Class probabilities of patterns (pattern, y, x) and normalised angles (pattern,)."""
    inputs = named_inputs(np.asarray(patterns, np.float32), np.asarray(angles, np.float32)[:, None])
    return keras.ops.convert_to_numpy(network(inputs, training=False))


@pytest.fixture(scope="module")
def compact():
    keras.utils.set_random_seed(1)
    return build_network(compact_features, task="thickness", pixels=64, class_count=100)


@pytest.fixture(scope="module")
def patterns():
    return np.random.default_rng(1).random((3, 64, 64), dtype=np.float32)


def test_compact_fits_into_two_megabytes(compact):
    assert compact.name == "thickness"
    assert compact.count_params() * 4 < 2e6


def test_probabilities(compact, patterns):
    probability = answer(compact, patterns, [0.0, 0.0, 0.0])
    assert probability.shape == (3, 100)
    np.testing.assert_allclose(probability.sum(axis=1), 1.0, rtol=1e-5)
    assert probability.min() > 0


def test_both_inputs_reach_the_output(compact, patterns):
    first = patterns[:1]
    assert not np.allclose(answer(compact, first, [-1.0]), answer(compact, first, [1.0]), rtol=1e-3)
    assert not np.allclose(answer(compact, first, [0.0]), answer(compact, 2 - first, [0.0]), rtol=1e-3)


def test_patterns_of_a_batch_do_not_reach_each_other(compact, patterns):
    together = answer(compact, patterns, [-1.0, 0.0, 1.0])
    np.testing.assert_allclose(answer(compact, patterns[1:2], [0.0]), together[1:2], rtol=1e-4)


def test_the_seed_makes_the_weights(patterns):
    def network(seed):
        keras.utils.set_random_seed(seed)
        return answer(build_network(compact_features, task="scale", pixels=64, class_count=5), patterns, [0.0] * 3)

    assert np.array_equal(network(4), network(4))
    assert not np.allclose(network(4), network(5))


@pytest.mark.parametrize("pixels", [16, 50])
def test_compact_takes_any_size(pixels):
    network = build_network(compact_features, task="scale", pixels=pixels, class_count=2)
    assert answer(network, np.ones((3, pixels, pixels)), [-1.0, 0.0, 1.0]).shape == (3, 2)


@pytest.mark.parametrize("architecture", [compact_features, xception_features])
def test_only_layers_that_export_well(architecture):
    """Checks the paper's architecture, too: Xception's 36 convolutions, then the angle and 2 x 1024 nodes."""
    network = build_network(architecture, task="mistilt", pixels=72, class_count=11)
    layers = list(layers_of(network))
    assert {type(layer).__name__ for layer in layers} <= EXPORTABLE
    if architecture is xception_features:
        convolutions = [layer for layer in layers if type(layer).__name__ in ("Conv2D", "SeparableConv2D")]
        assert len(convolutions) == 36 + 4  # and four shortcuts
        dense = [layer.units for layer in layers if type(layer).__name__ == "Dense"]
        assert dense == [1024, 1024, 11]
        assert [layer.rate for layer in layers if type(layer).__name__ == "Dropout"] == [0.2, 0.2]
        first = next(layer for layer in layers if type(layer).__name__ == "Dense")
        assert first.kernel.shape[0] == 2048 + 1  # the convergence angle enters before the dense layers
