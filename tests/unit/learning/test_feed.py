"""Batches depend on seed, epoch and index alone, and carry labels and angles as a user knows them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pacbed.learning.feed import AZIMUTH, Batches, Feed, FollowEpoch, LabelledPatterns, as_told, labels_of
from pacbed.networks.azimuth import azimuth_labels
from pacbed.networks.inputs import ConvergenceNormalisation


class Numbered:
    """A source whose images say which epoch and batch they are of, and are noisy besides."""

    def __len__(self):
        return 3

    def batch(self, epoch, index, rng):
        images = np.full((2, 5, 5), 10.0 * epoch + index, dtype=np.float32)
        images[:, 0, 0] = rng.random(2)
        return LabelledPatterns(images, np.array([13.0, 14.0]), {"thickness": np.array([2.0, 8.0])})


@pytest.fixture
def make_batches(make_settings):
    def make(**changes):
        settings = make_settings(**changes)
        classes = {"thickness": settings.classes_of("thickness")}
        return Batches(Numbered(), classes, settings.convergence, seed=settings.seed)

    return make


def test_a_batch_is_inputs_and_labels(make_batches, make_settings):
    batches = make_batches()
    inputs, labels = batches[2]
    assert len(batches) == 3
    assert inputs["pattern"].shape == (2, 5, 5, 1)
    assert inputs["pattern"][0, 1, 1, 0] == 2.0
    np.testing.assert_allclose(inputs["convergence"], make_settings().convergence.normalise(np.array([13.0, 14.0])))
    assert list(labels) == ["thickness"]
    expected = make_settings().classes_of("thickness").labels(np.array([2.0, 8.0]))
    assert np.array_equal(labels["thickness"], expected)
    assert batches.seconds > 0


def test_batches_follow_the_epoch_of_the_training(make_batches):
    batches = make_batches()
    follow = FollowEpoch(batches)
    follow.set_model(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    for epoch in (0, 7):  # a resumed training begins in the middle
        follow.on_epoch_begin(epoch)
        assert batches[1][0]["pattern"][0, 1, 1, 0] == 10 * epoch + 1


def test_what_dropout_drops_depends_on_seed_and_epoch_alone(make_batches):
    """Of a network that has dropped before, or not: Keras would go on counting."""

    def dropped(seed, epoch, *, before=0):
        network = keras.Sequential([keras.Input((64,)), keras.layers.Dropout(0.5)])
        follow = FollowEpoch(make_batches(seed=seed))
        follow.set_model(network)
        for _ in range(before):
            network(np.ones((1, 64)), training=True)
        follow.on_epoch_begin(epoch)
        return tuple(keras.ops.convert_to_numpy(network(np.ones((1, 64)), training=True))[0])

    assert dropped(1, 2) == dropped(1, 2, before=3)
    assert len({dropped(1, 2), dropped(1, 3), dropped(2, 2)}) == 3


def test_randomness_depends_on_seed_epoch_and_index_alone(make_batches):
    def drawn(seed, epoch, index, before=()):
        batches = make_batches(seed=seed)
        batches.epoch = epoch
        for other in before:
            batches[other]
        return batches[index][0]["pattern"][0, 0, 0, 0]

    assert drawn(1, 2, 1) == drawn(1, 2, 1, before=(0, 2))
    assert len({drawn(1, 2, 1), drawn(2, 2, 1), drawn(1, 3, 1), drawn(1, 2, 0)}) == 4


def test_angles_are_wrong_by_two_percent():
    told_mrad = as_told(np.full(4000, 21.0), ConvergenceNormalisation(20.0, 2.0), rng=np.random.default_rng(1))
    assert told_mrad.mean() == pytest.approx(21.0, abs=0.02)
    assert told_mrad.std() == pytest.approx(0.02 * 20.0, rel=0.04)


def test_the_mistilt_has_labels_for_its_direction(make_settings):
    """Where the vectors are known, and only for a network that is asked for the mistilt."""
    settings, vectors = make_settings(), np.array([[1.0, 0.5], [0.0, 0.0]])
    values = {"mistilt": np.linalg.norm(vectors, axis=1), "thickness": np.array([2.0, 4.0]), AZIMUTH: vectors}
    labels = labels_of({"mistilt": settings.classes_of("mistilt")}, values)
    assert set(labels) == {"mistilt", AZIMUTH}
    assert np.array_equal(labels[AZIMUTH], azimuth_labels(vectors))
    assert set(labels_of({"thickness": settings.classes_of("thickness")}, values)) == {"thickness"}
    del values[AZIMUTH]
    assert set(labels_of({"mistilt": settings.classes_of("mistilt")}, values)) == {"mistilt"}


def test_validation_patterns_keep_their_true_values(make_settings):
    validation = Numbered().batch(0, 0, np.random.default_rng(1))
    classes = {"thickness": make_settings().classes_of("thickness")}
    feed = Feed.of(Numbered(), validation, make_settings(), classes)
    assert feed.true_values["thickness"].tolist() == [2.0, 8.0]
    assert np.array_equal(feed.inputs["pattern"][..., 0], validation.images)
    assert np.array_equal(feed.labels["thickness"], classes["thickness"].labels(np.array([2.0, 8.0])))
    assert len(feed.batches) == 3
