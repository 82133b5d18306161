"""Recipe paper: patterns of the stack, moved exactly where they should go, from the right side of the split."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.learning.feed import ConvergenceScale
from pacbed.learning.feed_stack import StackBatches, move, stack_feed
from pacbed.learning.samples import open_stack
from pacbed.networks.classes import Target

STILL = {
    "scale": 1.0,
    "rotation_deg": 0.0,
    "shear_deg": np.zeros(2),
    "shift": np.zeros(2),
    "flips": np.array([False, False]),
}


@pytest.fixture
def dot():
    """One bright pixel 8 pixels right of the centre of 41."""
    image = np.zeros((41, 41), dtype=np.float32)
    image[20, 28] = 1.0
    return image


def brightest(image):
    """Row and column of the maximum."""
    return tuple(int(index) for index in np.unravel_index(np.argmax(image), image.shape))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({}, (20, 28)),
        ({"rotation_deg": 90.0}, (28, 20)),  # from +x towards +y, y down
        ({"rotation_deg": -90.0}, (12, 20)),
        ({"scale": 2.0}, (20, 24)),  # larger pixels: looks smaller
        ({"shift": np.array([4 / 41, -2 / 41])}, (18, 32)),
        ({"flips": np.array([True, False])}, (20, 12)),
        ({"flips": np.array([False, True]), "rotation_deg": 90.0}, (28, 20)),
        ({"shear_deg": np.array([0.0, 45.0])}, (12, 28)),
    ],
)
def test_a_bright_dot_goes_where_it_should(dot, change, place):
    assert brightest(move(dot, pixels=41, **{**STILL, **change})) == place


def test_identity_and_resampling(dot):
    np.testing.assert_allclose(move(dot, pixels=41, **STILL), dot, atol=1e-6)
    coarse = move(np.kron(dot, np.ones((2, 2), np.float32)), pixels=41, **STILL)
    assert coarse.shape == (41, 41)
    assert brightest(coarse) == (20, 28)


def batches(stack_dir, **changes):
    """Training batches of the thickness task."""
    stack = open_stack(stack_dir)
    settings = {
        "held_out": False,
        "target": Target("thickness", np.array([2.0, 4.0, 6.0, 8.0])),
        "noise_max": 0.1,
        "scale": ConvergenceScale(13.5, 0.7),
        "scale_range": (0.7, 1.4),
        "pixels": 32,
        "seed": 1,
        "samples": 10_000,
        "batch_size": 4,
    }
    return StackBatches(stack, **{**settings, **changes})


def test_an_epoch_shows_every_training_pattern_once(stack_dir):
    held_out = np.asarray(open_stack(stack_dir)["split"]).sum()
    feed = batches(stack_dir)
    shown = np.concatenate([feed.batch(index)[2] for index in range(len(feed))])
    training = 10 - held_out
    assert len(shown) == 4 * training
    assert np.unique(shown, return_counts=True)[1].tolist() == [training] * 4


def test_epochs_differ_and_are_repeatable(stack_dir):
    feed, other = batches(stack_dir), batches(stack_dir)
    first = feed[1][0]["pattern"]
    feed.epoch = 1
    second = feed[1][0]["pattern"]
    other.epoch = 1
    assert np.array_equal(other[1][0]["pattern"], second)
    assert not np.array_equal(first, second)


def test_scale_labels_are_the_scales_applied(stack_dir):
    """A smaller scale makes the pattern fill more of the image."""
    target = Target("scale", np.arange(0.7, 1.41, 0.1))
    images, _, values, _ = batches(stack_dir, target=target, batch_size=24, noise_max=0.0).batch(0)
    area = (images > -0.5).mean(axis=(1, 2))
    assert 0.7 <= values.min() < 0.9 < 1.2 < values.max() <= 1.4
    assert np.corrcoef(values, area)[0, 1] < -0.9


def test_feed_validates_on_held_out_series(stack_dir):
    feed = stack_feed(
        stack_dir,
        target=Target("mistilt", np.array([0.0, 1.0, 2.0])),
        scale_range=(0.7, 1.4),
        scale=ConvergenceScale(13.5, 0.7),
        samples=16,
        validation_samples=8,
        pixels=32,
        batch_size=8,
        noise_max=0.1,
        seed=1,
    )
    assert len(feed.batches) == 2
    assert feed.inputs["pattern"].shape == (8, 32, 32, 1)
    assert feed.inputs["convergence"].shape == (8, 1)
    stack = open_stack(stack_dir)
    tilts = np.asarray(stack["mistilt_mrad"])[np.asarray(stack["split"]).any(axis=0)]
    assert set(feed.true_values) <= set(tilts)
