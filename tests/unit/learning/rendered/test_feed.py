"""Recipe compact: every pattern once an epoch, held-out series never, something new each time, values that fit."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.learning.draws import DrawnParameters, series_split
from pacbed.learning.feed import AZIMUTH, TrainingData
from pacbed.learning.rendered import degradation, feed
from pacbed.learning.rendered.feed import Camera, FramedSet, RenderedSource, misplaced, rendered_feed
from pacbed.learning.rendered.patterns import FramedPatterns
from pacbed.networks.frame import PolarFrame

TASKS = ("scale", "thickness", "mistilt")
COUNT = 12


@pytest.fixture
def make_patterns():
    """Makes disks with a bright spot at the azimuth of the mistilt, each with a thickness of its own."""

    def make(count=COUNT):
        rng = np.random.default_rng(4)
        rotation = rng.uniform(-180.0, 180.0, count)
        drawn = DrawnParameters(
            thickness_nm=np.arange(float(count)),
            convergence_mrad=np.linspace(13.0, 14.0, count),
            mistilt_mrad=np.tile([0.0, 2.0], (count, 1)),
            scale=np.ones(count),
            rotation_deg=rotation,
            shift=np.zeros((count, 2)),
            blur_mrad=np.zeros(count),
        )
        frame = PolarFrame()
        grid = (np.arange(64) - 31.5) * frame.pixel
        azimuth = np.deg2rad(rotation) + np.pi / 2
        x, y = (0.7 * part(azimuth)[:, None, None] for part in (np.cos, np.sin))
        spot = 0.6 * np.exp(-((grid - x) ** 2 + (grid[:, None] - y) ** 2) / 0.02)
        images = (0.4 * (np.hypot(grid, grid[:, None]) < 1) + spot).astype(np.float16)
        patterns = FramedPatterns(images, np.linspace(14.0, 17.0, count), np.full(count, 1e-3))
        return FramedSet(patterns, drawn, frame, Camera(0.4, 40.0))

    return make


@pytest.fixture
def source(make_patterns, make_settings):
    return RenderedSource(make_patterns(), make_settings(batch_size=4), mirror=True)


@pytest.fixture
def data(tiny_table_dir, stack_dir, tmp_path):
    return TrainingData(tiny_table_dir, stack_dir, tmp_path / "state", threads=2)


@pytest.fixture
def undegraded(monkeypatch):
    for name in ("DIFFUSE_MAX", "OFFSET_MAX", "HOT_PIXELS_MAX"):
        monkeypatch.setattr(degradation, name, 0)
    monkeypatch.setattr(degradation, "ELECTRONS", (1e16, 1e17))


def shown(source, epoch):
    """Thicknesses in the order of an epoch."""
    batches = [source.batch(epoch, index, np.random.default_rng(index)) for index in range(len(source))]
    return np.concatenate([batch.true_values["thickness"] for batch in batches]).tolist()


def test_an_epoch_shows_every_pattern_once(source):
    for epoch in (0, 1):
        assert sorted(shown(source, epoch)) == list(range(COUNT))


def test_every_epoch_has_its_own_order(source):
    assert shown(source, 0) == shown(source, 0)
    assert shown(source, 0) != shown(source, 1) != list(range(COUNT))


def test_a_batch_is_never_larger_than_the_training(make_patterns, make_settings):
    source = RenderedSource(make_patterns(), make_settings(batch_size=64), mirror=False)
    assert len(source) == 1
    assert sorted(shown(source, 0)) == list(range(COUNT))


def test_the_same_pattern_looks_different_each_time(source):
    first, second = (source.batch(0, 0, np.random.default_rng(seed)).images for seed in (1, 2))
    assert first.shape == (4, 32, 64)
    assert first.dtype == np.float32
    assert np.abs(first - second).mean() > 0.05


@pytest.mark.usefixtures("undegraded")
@pytest.mark.parametrize("mirror", [False, True])
def test_the_direction_told_is_where_the_spot_is_seen(make_patterns, make_settings, mirror):
    """In maps of any turn, mirrored or not."""
    source = RenderedSource(make_patterns(64), make_settings(batch_size=64, noise_max=0.0), mirror=mirror)
    batch = source.batch(0, 0, np.random.default_rng(1))
    vector = batch.true_values[AZIMUTH]
    brightness = np.clip(batch.images[:, 8:22].max(axis=1) - 1.0, 0.0, None)
    seen = np.angle(brightness @ np.exp(2j * np.pi * np.arange(64) / 64))
    np.testing.assert_allclose(np.linalg.norm(vector, axis=1), 2.0)
    off = np.angle(np.exp(1j * (seen - np.arctan2(vector[:, 1], vector[:, 0]))))
    assert np.abs(off).max() < 0.15


@pytest.mark.usefixtures("undegraded")
def test_the_scale_told_is_the_radius_taken_over_the_angle_told(make_patterns, make_settings, monkeypatch):
    """A pattern whose region is taken for larger looks smaller in the map."""
    monkeypatch.setattr(feed, "RADIUS_ERROR", 0.1)
    patterns = make_patterns(64)
    source = RenderedSource(patterns, make_settings(batch_size=64, noise_max=0.0), mirror=False)
    batch = source.batch(0, 0, np.random.default_rng(1))
    chosen = batch.true_values["thickness"].astype(int)
    taken = batch.true_values["scale"] * batch.told_mrad / patterns.patterns.radius_mrad[chosen]
    rim = (batch.images.mean(axis=2) > -0.5).sum(axis=1)  # rows inside the disk
    assert taken.std() == pytest.approx(0.1, rel=0.25)
    np.testing.assert_allclose(rim * 1.5 / 32, 1 / taken, atol=0.08)


def test_a_strong_background_hides_where_the_region_is():
    rng = np.random.default_rng(1)
    clear, hidden = (misplaced(np.full(2000, height), rng=rng, mirror=False) for height in (0.0, 1.0))
    assert clear.shift.std() == pytest.approx(feed.CENTER_ERROR, rel=0.1)
    assert clear.radius.mean() == pytest.approx(1.0, abs=1e-3)
    assert hidden.shift.std() > 4 * clear.shift.std()
    assert hidden.radius.mean() > 1.08  # it makes the region look larger
    assert not clear.mirrored.any()


def test_training_and_validation_patterns_lie_on_their_sides_of_the_split(data, make_settings, tiny_table):
    settings = make_settings(validation_samples=24)
    fed = rendered_feed(settings, data, TASKS)
    split = series_split(data.stack_dir, tiny_table.group)
    tilts = np.linalg.norm(split.mistilt_mrad, axis=1)
    source = fed.batches.source
    assert len(source.patterns.drawn) == settings.samples
    assert fed.inputs["pattern"].shape == (24, 32, 64, 1)
    assert set(fed.labels) == {*TASKS, AZIMUTH}
    # Rounded to the grid, a trained beam is one of a trained series.
    grid = {(angle, tilt): set() for angle in (0, 1) for tilt in (0.0, 1.0, 2.0)}
    for angle, row in enumerate(split.held_out):
        for tilt, held_out in zip(tilts, row, strict=True):
            grid[angle, round(tilt)].add(bool(held_out))
    drawn = source.patterns.drawn
    for convergence, tilt in zip(drawn.convergence_mrad, drawn.true_values("mistilt"), strict=True):
        assert False in grid[int(convergence > 13.5), round(tilt)]


def test_a_prediction_s_ways_of_looking_turn_the_validation_patterns(data, make_settings):
    """The first is the one that validates; all know where they look."""
    fed = rendered_feed(make_settings(samples=8, validation_samples=8), data, TASKS)
    ways = list(fed.turned())
    assert len(ways) == 16  # eight turns, and their mirrors
    assert np.array_equal(ways[0].inputs["pattern"], fed.inputs["pattern"])
    np.testing.assert_allclose(ways[3].inputs["pattern"], np.roll(fed.inputs["pattern"], -3, axis=2), atol=1e-3)
    assert all(np.array_equal(way.inputs["convergence"], fed.inputs["convergence"]) for way in ways)
    assert [bool(way.placement.mirrored[0]) for way in ways] == [False] * 8 + [True] * 8


def test_patterns_that_were_rendered_are_taken_again(data, make_settings):
    first = rendered_feed(make_settings(samples=16), data, TASKS)
    again = rendered_feed(make_settings(samples=16), data, TASKS)
    assert np.array_equal(again.inputs["pattern"], first.inputs["pattern"])
    assert np.array_equal(again.batches[0][0]["pattern"], first.batches[0][0]["pattern"])


def test_one_series_alone_validates_on_new_draws(make_stack, tiny_table_dir, make_settings, tmp_path, caplog):
    """Nothing can be held out of a single series; the log says so."""
    stack = make_stack(convergence_mrad=[13.5], mistilt_mrad=[0.0])
    settings = make_settings(convergence_mrad=[13.5], mistilt_mrad=[0.0], samples=16, validation_samples=8)
    fed = rendered_feed(settings, TrainingData(tiny_table_dir, stack, tmp_path / "state"), TASKS)
    assert len(fed.true_values["thickness"]) == 8
    assert "no series is held out" in caplog.text
    assert not set(fed.true_values["thickness"]) & set(fed.batches.source.patterns.drawn.thickness_nm)
