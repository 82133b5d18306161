"""Recipe paper: every pattern of one side of the split once an epoch, with its own labels."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.learning.feed import TrainingData
from pacbed.learning.stacked.feed import StackSource, stack_feed
from pacbed.networks.inputs import normalise_patterns
from pacbed.simulation.stack.stored import open_stack


def rng():
    return np.random.default_rng(1)


@pytest.fixture(autouse=True)
def well_known_angles(monkeypatch):
    """Tells every angle as it is, so that patterns can be recognised."""
    monkeypatch.setattr("pacbed.learning.stacked.feed.ANGLE_NOISE", 0.0)


@pytest.fixture
def make_source(stack_dir, make_settings):
    """Makes a source of the stack, one batch of all its patterns large unless told otherwise."""

    def make(task="thickness", *, held_out=False, **changes):
        asked = {"samples": 10_000, "validation_samples": 10_000, "batch_size": 10_000, "pixels": 32, **changes}
        return StackSource(open_stack(stack_dir), make_settings(**asked), task, held_out=held_out)

    return make


def series_of(source, epoch=0):
    """How often each pair of convergence angle and mistilt is shown in an epoch."""
    batches = [source.batch(epoch, index, rng()) for index in range(len(source))]
    pairs = [
        (float(angle), float(tilt))
        for batch in batches
        for angle, tilt in zip(batch.told_mrad, batch.true_values["mistilt"], strict=True)
    ]
    return {pair: pairs.count(pair) for pair in pairs}


@pytest.mark.parametrize("held_out", [False, True])
def test_an_epoch_shows_each_series_of_its_side_once_and_no_other(stack_dir, make_source, held_out):
    """Series of one tilt but different azimuth count together; a series has four thicknesses."""
    stack = open_stack(stack_dir)
    expected = {}
    for i, j in np.argwhere(np.asarray(stack["split"]) == held_out):
        pair = float(stack["convergence_mrad"][i]), float(stack["mistilt_mrad"][j])
        expected[pair] = expected.get(pair, 0) + 4
    for epoch in (0, 1):
        assert series_of(make_source("mistilt", held_out=held_out), epoch) == expected


def test_small_batches_show_the_same_as_a_large_one(make_source):
    assert series_of(make_source("mistilt", batch_size=4)) == series_of(make_source("mistilt"))


def test_every_thickness_of_every_training_series_is_shown(stack_dir, make_source):
    training = (np.asarray(open_stack(stack_dir)["split"]) == 0).sum()
    values, counts = np.unique(make_source().batch(0, 0, rng()).true_values["thickness"], return_counts=True)
    assert values.tolist() == [2.0, 4.0, 6.0, 8.0]
    assert counts.tolist() == [training] * 4


def test_series_are_shuffled_together(make_source):
    """Neighbours in a batch are not neighbours in thickness, and epochs have orders of their own."""
    first, second = (make_source().batch(epoch, 0, rng()).true_values["thickness"] for epoch in (0, 1))
    assert not np.array_equal(first, second)
    assert (np.diff(first) == 2.0).mean() < 0.5


def test_patterns_go_with_their_labels(make_source, stack_dir, monkeypatch):
    """Undistorted and without noise, a pattern shown is the one stored under its labels."""
    for name in ("SHEAR_DEG", "ROTATION_DEG", "SHIFT", "SCALING"):
        monkeypatch.setattr(f"pacbed.learning.stacked.feed.{name}", 0.0)
    stack = open_stack(stack_dir)
    batch = make_source(pixels=40, noise_max=0.0).batch(0, 0, rng())
    for image, angle, thickness in zip(batch.images, batch.told_mrad, batch.true_values["thickness"], strict=True):
        i = np.asarray(stack["convergence_mrad"]).tolist().index(angle)
        k = np.asarray(stack["thickness_nm"]).tolist().index(thickness)
        candidates = np.asarray(stack["pattern"][i, :, k]).astype(np.float32)
        candidates /= candidates.max(axis=(1, 2), keepdims=True)
        flipped = [candidates[:, ::rows, ::columns] for rows in (1, -1) for columns in (1, -1)]
        seen = normalise_patterns(np.concatenate(flipped))
        assert np.abs(image - seen).max(axis=(1, 2)).min() < 1e-5


def test_epochs_differ_and_are_repeatable(make_source):
    first, again = (make_source().batch(1, 0, np.random.default_rng(5)).images for _ in range(2))
    other = make_source().batch(2, 0, np.random.default_rng(5)).images
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_scale_labels_are_the_scales_applied(make_source):
    """A smaller scale makes the pattern fill more of the image."""
    batch = make_source("scale", noise_max=0.0, scale_range=[0.7, 1.4]).batch(0, 0, rng())
    area = (batch.images > -0.5).mean(axis=(1, 2))
    scales = batch.true_values["scale"]
    assert 0.7 <= scales.min() < 0.9 < 1.2 < scales.max() <= 1.4
    assert np.corrcoef(scales, area)[0, 1] < -0.9


def test_angles_are_told_with_the_papers_noise(make_source, monkeypatch):
    """0.05 of the range of the angles, which counts as at least a tenth of their middle."""
    exact = make_source("mistilt").batch(0, 0, rng()).told_mrad
    monkeypatch.setattr("pacbed.learning.stacked.feed.ANGLE_NOISE", 0.05)
    error = np.concatenate(
        [make_source("mistilt").batch(0, 0, np.random.default_rng(seed)).told_mrad - exact for seed in range(20)]
    )
    assert len(error) > 500
    assert error.std() == pytest.approx(0.05 * 0.1 * 13.5, rel=0.1)
    assert abs(error.mean()) < 0.01


def test_labels_are_one_class(stack_dir, make_settings, tmp_path):
    """A scale between two classes belongs to the nearer one, as a thickness to its own."""
    settings = make_settings(samples=16, validation_samples=8, pixels=32, batch_size=8)
    for task in ("scale", "thickness"):
        feed = stack_feed(settings, TrainingData(tmp_path, stack_dir, tmp_path), [task])
        labels, values = feed.labels[task], settings.classes_of(task).values
        np.testing.assert_array_equal(labels.sum(axis=1), 1.0)
        np.testing.assert_array_equal(labels.max(axis=1), 1.0)
        nearest = np.abs(values[labels.argmax(axis=1)] - feed.true_values[task])
        assert nearest.max() <= settings.classes_of(task).step / 2 + 1e-9


def test_a_side_without_series_is_refused(make_stack, make_settings):
    stack = open_stack(make_stack(convergence_mrad=[13.5], mistilt_mrad=[0.0]))
    assert len(StackSource(stack, make_settings(), "thickness"))
    with pytest.raises(ParameterError, match="split: got 'a stack without series for this side'"):
        StackSource(stack, make_settings(), "thickness", held_out=True)


def test_feed_validates_on_held_out_series(stack_dir, make_settings, tmp_path):
    settings = make_settings(samples=16, validation_samples=8, pixels=32, batch_size=8)
    feed = stack_feed(settings, TrainingData(tmp_path / "no table", stack_dir, tmp_path), ["mistilt"])
    assert len(feed.batches) == 2
    assert feed.inputs["pattern"].shape == (8, 32, 32, 1)
    assert feed.inputs["convergence"].shape == (8, 1)
    stack = open_stack(stack_dir)
    tilts = np.asarray(stack["mistilt_mrad"])[np.asarray(stack["split"]).any(axis=0)]
    assert set(feed.true_values["mistilt"]) <= set(tilts)
