"""Batches depend on seed, epoch and index alone, and carry labels and angles as a user knows them."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.learning.feed import Batches, Feed, FollowEpoch, LabelledPatterns, noisy_inputs
from pacbed.networks.inputs import ConvergenceNormalisation


class Numbered:
    """A source whose images say which epoch and batch they are of, and are noisy besides."""

    def __len__(self):
        return 3

    def batch(self, epoch, index, rng):
        images = np.full((2, 5, 5), 10.0 * epoch + index, dtype=np.float32)
        images[:, 0, 0] = rng.random(2)
        return LabelledPatterns(images, np.array([13.0, 14.0]), np.array([2.0, 8.0]))


@pytest.fixture
def batches(make_settings):
    return Batches(Numbered(), make_settings())


def test_a_batch_is_inputs_and_labels(batches, make_settings):
    inputs, labels = batches[2]
    assert len(batches) == 3
    assert inputs["pattern"].shape == (2, 5, 5, 1)
    assert inputs["pattern"][0, 1, 1, 0] == 2.0
    assert inputs["convergence"].shape == (2, 1)
    assert np.array_equal(labels, make_settings().classes.labels(np.array([2.0, 8.0])))


def test_batches_follow_the_epoch_of_the_training(batches):
    follow = FollowEpoch(batches)
    for epoch in (0, 7):  # a resumed training begins in the middle
        follow.on_epoch_begin(epoch)
        assert batches[1][0]["pattern"][0, 1, 1, 0] == 10 * epoch + 1


def test_randomness_depends_on_seed_epoch_and_index_alone(make_settings):
    def drawn(seed, epoch, index, before=()):
        batches = Batches(Numbered(), make_settings(seed=seed))
        batches.epoch = epoch
        for other in before:
            batches[other]
        inputs, _ = batches[index]
        return inputs["pattern"][0, 0, 0, 0], inputs["convergence"][0, 0]

    assert drawn(1, 2, 1) == drawn(1, 2, 1, before=(0, 2))
    assert len({drawn(1, 2, 1), drawn(2, 2, 1), drawn(1, 3, 1), drawn(1, 2, 0)}) == 4


def test_angles_are_wrong_by_two_percent():
    count = 4000
    patterns = LabelledPatterns(np.zeros((count, 1, 1), np.float32), np.full(count, 21.0), np.zeros(count))
    inputs = noisy_inputs(patterns, ConvergenceNormalisation(20.0, 2.0), rng=np.random.default_rng(1))
    told_mrad = 20.0 + 2.0 * inputs["convergence"][:, 0]
    assert told_mrad.mean() == pytest.approx(21.0, abs=0.02)
    assert told_mrad.std() == pytest.approx(0.02 * 20.0, rel=0.04)


def test_validation_patterns_keep_their_true_values(make_settings):
    validation = Numbered().batch(0, 0, np.random.default_rng(1))
    feed = Feed.of(Numbered(), validation, make_settings(), rng=np.random.default_rng(2))
    assert feed.true_values.tolist() == [2.0, 8.0]
    assert np.array_equal(feed.inputs["pattern"][..., 0], validation.images)
    assert len(feed.batches) == 3


def test_selected_patterns_stay_together():
    patterns = LabelledPatterns(np.arange(12).reshape(3, 2, 2), np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0]))
    chosen = patterns.select(np.array([2, 0]))
    assert chosen.images[:, 0, 0].tolist() == [8, 0]
    assert (chosen.convergence_mrad.tolist(), chosen.true_values.tolist()) == ([3.0, 1.0], [30.0, 10.0])
