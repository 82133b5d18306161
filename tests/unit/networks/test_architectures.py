"""Shapes, size and layers of the networks."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pacbed.networks.architectures import build_network, compact_outputs, single_network, xception_outputs
from pacbed.networks.azimuth import BINS, mean_direction
from pacbed.networks.inputs import named_inputs

EXPORTABLE = {
    *("InputLayer", "Conv2D", "SeparableConv2D", "BatchNormalization", "ReLU", "Activation", "Dense", "Dropout"),
    *("GlobalAveragePooling2D", "MaxPooling2D", "Concatenate", "Add", "Cropping2D", "ZeroPadding2D", "Permute"),
    *("Reshape", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "Flatten", "Softmax"),
}
COUNTS = {"scale": 36, "thickness": 100, "mistilt": 11}
STRIDES = 8  # of the convolutions, all together


def layers_of(network):
    """All layers, those of nested networks too."""
    for layer in network.layers:
        yield from layers_of(layer) if isinstance(layer, keras.Model) else (layer,)


def answer(network, patterns, angles):
    """Outputs for patterns (pattern, y, x) and normalised angles (pattern,)."""
    inputs = named_inputs(np.asarray(patterns, np.float32), np.asarray(angles, np.float32)[:, None])
    return {name: keras.ops.convert_to_numpy(output) for name, output in network(inputs, training=False).items()}


@pytest.fixture(scope="module")
def compact():
    keras.utils.set_random_seed(1)
    return build_network(compact_outputs, input_shape=(32, 64), class_counts=COUNTS)


@pytest.fixture(scope="module")
def maps():
    return np.random.default_rng(1).random((3, 32, 64), dtype=np.float32)


def test_each_network_fits_into_two_megabytes(compact):
    for task in COUNTS:
        single = single_network(compact, task)
        assert single.name == task
        assert single.count_params() * 4 < 2e6


def test_probabilities(compact, maps):
    answers = answer(compact, maps, [0.0, 0.0, 0.0])
    assert {name: found.shape for name, found in answers.items()} == {
        "scale": (3, 36),
        "thickness": (3, 100),
        "mistilt": (3, 11),
        "azimuth": (3, BINS),
    }
    for found in answers.values():
        np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)
        assert found.min() > 0


def test_a_single_network_answers_as_the_whole(compact, maps):
    whole = answer(compact, maps, [-1.0, 0.0, 1.0])
    thickness = answer(single_network(compact, "thickness"), maps, [-1.0, 0.0, 1.0])
    mistilt = answer(single_network(compact, "mistilt"), maps, [-1.0, 0.0, 1.0])
    assert (set(thickness), set(mistilt)) == ({"probability"}, {"probability", "azimuth"})
    np.testing.assert_allclose(thickness["probability"], whole["thickness"], rtol=1e-5)
    np.testing.assert_allclose(mistilt["azimuth"], whole["azimuth"], rtol=1e-5)


def test_both_inputs_reach_the_outputs(compact, maps):
    first = maps[:1]
    for name in COUNTS:
        assert not np.allclose(answer(compact, first, [-1.0])[name], answer(compact, first, [1.0])[name], rtol=1e-3)
        assert not np.allclose(answer(compact, first, [0.0])[name], answer(compact, 2 - first, [0.0])[name], rtol=1e-3)


def test_patterns_of_a_batch_do_not_reach_each_other(compact, maps):
    together = answer(compact, maps, [-1.0, 0.0, 1.0])["thickness"]
    np.testing.assert_allclose(answer(compact, maps[1:2], [0.0])["thickness"], together[1:2], rtol=1e-4)


def test_a_turn_by_the_strides_turns_the_direction_and_nothing_else(compact, maps):
    before, after = (answer(compact, seen, [0.0] * 3) for seen in (maps, np.roll(maps, 2 * STRIDES, axis=2)))
    for task in COUNTS:
        np.testing.assert_allclose(after[task], before[task], rtol=1e-4)
    np.testing.assert_allclose(
        after["azimuth"], np.roll(before["azimuth"], 2 * STRIDES * BINS // 64, axis=1), rtol=1e-3
    )
    turned = mean_direction(after["azimuth"]) / mean_direction(before["azimuth"])
    np.testing.assert_allclose(np.angle(turned), np.pi / 2, atol=1e-3)


def test_the_radius_is_kept(compact, maps):
    """Rings that change places are another pattern: nothing is pooled over the radius."""
    changed = answer(compact, np.roll(maps, STRIDES, axis=1), [0.0] * 3)["thickness"]
    assert not np.allclose(changed, answer(compact, maps, [0.0] * 3)["thickness"], rtol=1e-2)


def test_the_seed_makes_the_weights(maps):
    def network(seed):
        keras.utils.set_random_seed(seed)
        built = build_network(compact_outputs, input_shape=(32, 64), class_counts={"scale": 5})
        return answer(built, maps, [0.0] * 3)["scale"]

    assert np.array_equal(network(4), network(4))
    assert not np.allclose(network(4), network(5))


@pytest.mark.parametrize(("architecture", "shape"), [(compact_outputs, (32, 64)), (xception_outputs, (72, 72))])
def test_only_layers_that_export_well(architecture, shape):
    """Checks the paper's architecture, too: Xception's 36 convolutions, then the angle and 2 x 1024 nodes."""
    network = build_network(architecture, input_shape=shape, class_counts={"mistilt": 11})
    layers = list(layers_of(network))
    assert {type(layer).__name__ for layer in layers} <= EXPORTABLE
    if architecture is xception_outputs:
        convolutions = [layer for layer in layers if type(layer).__name__ in ("Conv2D", "SeparableConv2D")]
        assert len(convolutions) == 36 + 4  # and four shortcuts
        dense = [layer.units for layer in layers if type(layer).__name__ == "Dense"]
        assert dense == [1024, 1024, 11]
        assert [layer.rate for layer in layers if type(layer).__name__ == "Dropout"] == [0.2, 0.2]
        first = next(layer for layer in layers if type(layer).__name__ == "Dense")
        assert first.kernel.shape[0] == 2048 + 1  # the convergence angle enters before the dense layers
