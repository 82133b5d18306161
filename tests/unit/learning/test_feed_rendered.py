"""Recipe compact: every pattern once an epoch, held-out series never, something new each time."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.learning import augment
from pacbed.learning.draws import series_split
from pacbed.learning.feed import LabelledPatterns, TrainingData
from pacbed.learning.feed_rendered import RenderedSource, rendered_feed
from pacbed.networks.inputs import ConvergenceNormalisation


@pytest.fixture
def patterns():
    """Twelve disks off the centre, each with a true value of its own."""
    y, x = np.mgrid[:24, :24]
    disk = ((x - 9) ** 2 + (y - 11) ** 2 < 36).astype(np.float16)
    return LabelledPatterns(np.repeat(disk[None], 12, axis=0), np.linspace(13.0, 14.0, 12), np.arange(12.0))


@pytest.fixture
def source(patterns, make_settings):
    return RenderedSource(patterns, make_settings(batch_size=4), mirror=True)


@pytest.fixture
def data(tiny_table_dir, stack_dir, tmp_path):
    return TrainingData(tiny_table_dir, stack_dir, tmp_path / "state", threads=2)


def shown(source, epoch):
    """True values in the order of an epoch."""
    batches = [source.batch(epoch, index, np.random.default_rng(index)) for index in range(len(source))]
    return np.concatenate([batch.true_values for batch in batches]).tolist()


def test_an_epoch_shows_every_pattern_once(source):
    for epoch in (0, 1):
        assert sorted(shown(source, epoch)) == list(range(12))


def test_every_epoch_has_its_own_order(source):
    assert shown(source, 0) == shown(source, 0)
    assert shown(source, 0) != shown(source, 1) != list(range(12))


def test_labels_stay_with_their_patterns(patterns, source):
    batch = source.batch(0, 1, np.random.default_rng(1))
    assert np.array_equal(patterns.convergence_mrad[batch.true_values.astype(int)], batch.convergence_mrad)


def test_a_batch_is_never_larger_than_the_training(patterns, make_settings):
    source = RenderedSource(patterns, make_settings(batch_size=64), mirror=False)
    assert len(source) == 1
    assert sorted(shown(source, 0)) == list(range(12))


def test_the_same_pattern_looks_different_each_time(source):
    first, second = (source.batch(0, 0, np.random.default_rng(seed)).images for seed in (1, 2))
    assert np.abs(first - second).mean() > 0.05
    assert first.dtype == np.float32


def test_patterns_are_flipped_only_where_the_crystal_has_a_mirror(patterns, make_settings, monkeypatch):
    """Without background and noise an image is one of four turns, or of eight."""
    for name in ("DIFFUSE_MAX", "OFFSET_MAX", "HOT_PIXELS_MAX"):
        monkeypatch.setattr(augment, name, 0)
    monkeypatch.setattr(augment, "ELECTRONS", (1e16, 1e17))
    many = LabelledPatterns(*(np.repeat(array, 8, axis=0) for array in patterns))
    for mirror, expected in ((False, 4), (True, 8)):
        source = RenderedSource(many, make_settings(batch_size=96, noise_max=0.0), mirror=mirror)
        images = source.batch(0, 0, np.random.default_rng(1)).images
        assert len(np.unique(np.round(images), axis=0)) == expected


def test_training_and_validation_patterns_lie_on_their_sides_of_the_split(data, make_settings, tiny_table):
    settings = make_settings(task="mistilt", validation_samples=24)
    feed = rendered_feed(settings, data)
    split = series_split(data.stack_dir, tiny_table.group)
    tilts = np.linalg.norm(split.mistilt_mrad, axis=1)
    source = feed.batches.source
    assert len(source.patterns.images) == settings.samples
    assert feed.inputs["pattern"].shape == (24, 24, 24, 1)
    # Rounded to the grid, a held-out beam is one of a held-out series and a trained one of a trained series.
    grid = {(angle, tilt): set() for angle in (0, 1) for tilt in (0.0, 1.0, 2.0)}
    for angle, row in enumerate(split.held_out):
        for tilt, held_out in zip(tilts, row, strict=True):
            grid[angle, round(tilt)].add(bool(held_out))
    for convergence, tilt in zip(source.patterns.convergence_mrad, source.patterns.true_values, strict=True):
        assert False in grid[int(convergence > 13.5), round(tilt)]
    scale = ConvergenceNormalisation.spanning(settings.convergence_mrad)
    assert np.abs(feed.inputs["convergence"]).max() < 1 + 6 * 0.02 * scale.center_mrad / scale.half_width_mrad


def test_patterns_that_were_rendered_are_taken_again(data, make_settings):
    first = rendered_feed(make_settings(), data)
    again = rendered_feed(make_settings(), data)
    assert np.array_equal(again.inputs["pattern"], first.inputs["pattern"])
    assert np.array_equal(again.batches[0][0]["pattern"], first.batches[0][0]["pattern"])


def test_one_series_alone_validates_on_new_draws(make_stack, tiny_table_dir, make_settings, tmp_path, caplog):
    """Nothing can be held out of a single series; the log says so."""
    stack = make_stack(convergence_mrad=[13.5], mistilt_mrad=[0.0])
    settings = make_settings(convergence_mrad=[13.5], mistilt_mrad=[0.0], samples=16, validation_samples=8)
    feed = rendered_feed(settings, TrainingData(tiny_table_dir, stack, tmp_path / "state"))
    assert len(feed.true_values) == 8
    assert "no series is held out" in caplog.text
    assert not set(feed.true_values) & set(feed.batches.source.patterns.true_values)
