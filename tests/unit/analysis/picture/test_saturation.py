import numpy as np
import pytest

from pacbed.analysis.picture.saturation import ceiling, saturated_in_frames, saturated_pixels


@pytest.mark.parametrize(
    ("top", "whole"), [(4095.0, True), (16383.0, True), (255.0, True), (0.73, False), (65535.0, True)]
)
def test_the_ceiling_of_any_type_is_found(recorded, top, whole):
    image = recorded() / np.percentile(recorded(), 95) * top
    cut = np.minimum(np.rint(image) if whole else image, top)
    assert ceiling(cut) == pytest.approx(top, rel=1e-4)
    used = np.ones(cut.shape, dtype=bool)
    np.testing.assert_array_equal(saturated_pixels(cut, used), cut == cut.max())


def test_an_offset_and_a_gain_do_not_hide_it(recorded):
    cut = np.minimum(recorded(), 550) * np.float32(0.37) - np.float32(12.3)
    assert saturated_pixels(cut, np.ones(cut.shape, dtype=bool)).sum() == (recorded() >= 550).sum()


def test_patterns_that_end_by_themselves_have_none(recorded):
    assert ceiling(recorded()) is None
    assert ceiling(np.rint(recorded() / recorded().max() * 255)) is None


@pytest.mark.parametrize("electrons", [0.5, 3, 20, 400])
def test_a_flat_disk_of_few_counts_is_not_saturated(electrons):
    """What a very thin crystal shows: a plateau by nature."""
    row, column = np.indices((128, 128))
    flat = electrons * (np.hypot(row - 64, column - 60) < 40)
    counts = np.random.default_rng(3).poisson(flat).astype(np.float32)
    assert ceiling(counts) is None
    assert ceiling(counts / 4) is None


def test_hot_pixels_do_not_count(recorded):
    cut = np.minimum(recorded(), 550)
    cut[:4, :5] = 65535
    used = cut < 60000
    assert saturated_pixels(cut, used)[cut == 550].all()
    assert not saturated_pixels(cut, used)[:4, :5].any()


def test_a_pixel_saturated_in_one_frame_is_named(recorded):
    frames = np.stack([recorded(seed=seed) for seed in range(4)]).astype(np.uint16)
    assert not saturated_in_frames(frames).any()
    frames[2] = np.minimum(frames[2], 600)
    cut = np.minimum(frames, 800)
    expected = (cut >= 800).any(axis=0)
    assert expected.any()
    np.testing.assert_array_equal(saturated_in_frames(cut), expected)


def test_nothing_finite_has_no_ceiling():
    assert ceiling(np.full(20, np.nan)) is None
