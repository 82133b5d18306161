from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.cutout import Cutout
from pacbed.outline import Outline
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS

DISK = Outline(center_px=(61.0, 48.0), radius_px=30.0, contrast=3.0, inside=1.0)


def counts(shape=(110, 130)):
    return np.random.default_rng(1).normal(500.0, 20.0, shape)


def test_it_keeps_track_of_where_its_pixels_lie(model, truth):
    """A point of the recorded pattern appears at the same place in the cut-out's own coordinates."""
    cutout = model.cutout
    geometry = cutout.geometry(truth, mirrored=False)
    column = cutout.origin_px[0] + geometry.center_px[0] * cutout.factor + (cutout.factor - 1) / 2
    row = cutout.origin_px[1] + geometry.center_px[1] * cutout.factor + (cutout.factor - 1) / 2
    assert (column, row) == pytest.approx(truth.center_px)
    assert geometry.pixel_mrad == pytest.approx(0.4 * cutout.factor)


@pytest.mark.parametrize(("pixels", "factor"), [(81, 1), (40, 2), (27, 3)])
def test_a_pixel_is_the_mean_of_a_square_of_recorded_ones(pixels, factor):
    array = counts()
    cutout = Cutout.around(array, DISK, reach=1.35, pixels=pixels)
    assert cutout.factor == factor
    (left, top), row, column = cutout.origin_px, 5, 7
    square = array[top + row * factor : top + (row + 1) * factor, left + column * factor : left + (column + 1) * factor]
    other = array[top : top + factor, left : left + factor]
    # Dark level and contrast are the same for all pixels, so differences tell.
    dark, bright = np.percentile(array[top : top + 82, left : left + 82], [1, 98])
    expected = (square.mean() - other.mean()) / (bright - dark)
    assert cutout.values[row, column] - cutout.values[0, 0] == pytest.approx(expected, rel=0.02)


def test_the_mask_is_a_circle_around_the_bright_region():
    cutout = Cutout.around(counts(), DISK, reach=1.2, pixels=72)
    row, column = np.indices(cutout.mask.shape)
    distance = np.hypot(column + cutout.origin_px[0] - 61.0, row + cutout.origin_px[1] - 48.0)
    np.testing.assert_array_equal(cutout.mask, distance <= 36.0)
    assert cutout.mask.sum() == pytest.approx(np.pi * 36**2, rel=0.01)


def test_the_background_is_a_constant_and_gaussians_of_the_bright_regions_size():
    cutout = Cutout.around(counts(), DISK, reach=1.3, pixels=78)
    np.testing.assert_array_equal(cutout.background[0], 1.0)
    middle = (48 - cutout.origin_px[1], 61 - cutout.origin_px[0])
    for shape, width in zip(cutout.background[1:], BACKGROUND_WIDTHS, strict=True):
        assert shape[middle] == pytest.approx(1.0)
        assert shape[middle[0], middle[1] + 30] == pytest.approx(np.exp(-0.5 / width**2))


def test_gain_and_offset_of_the_camera_do_not_show():
    array = counts()
    plain, other = (Cutout.around(image, DISK, pixels=40) for image in (array, 3.0 * array + 150.0))
    np.testing.assert_allclose(other.values, plain.values, atol=1e-10)


def test_a_circle_over_the_frame_is_cut_off_and_stays_in_place(truth):
    near_edge = replace(DISK, center_px=(12.0, 48.0))
    cutout = Cutout.around(counts(), near_edge, reach=1.3, pixels=78)
    assert cutout.origin_px[0] == 0
    assert cutout.mask[48 - cutout.origin_px[1], 12]
    assert not cutout.mask[0, 0]
    at = replace(truth, center_px=(12.0, 48.0))
    assert cutout.geometry(at, mirrored=False).center_px[0] == pytest.approx(12.0)


def test_a_coarse_pixel_is_the_mean_of_the_recorded_ones_that_count():
    array, used = counts(), np.ones((110, 130), dtype=bool)
    plain = Cutout.around(array, DISK, pixels=40)
    left, top = plain.origin_px
    used[top + 20 : top + 24, left + 30] = False  # half of two coarse pixels
    used[top + 40 : top + 42, left + 40 : left + 42] = False  # the whole of one
    used[top + 50, left + 50 : left + 52], used[top + 51, left + 50] = False, False  # three quarters of one
    spoilt = np.where(used, array, 1e6)
    cutout = Cutout.around(spoilt, DISK, pixels=40, used=used)
    assert cutout.factor == 2
    assert cutout.mask[10, 15] and cutout.mask[11, 15]
    assert not cutout.mask[20, 20] and not cutout.mask[25, 25]
    assert plain.mask.sum() - cutout.mask.sum() == 2
    rest, pair = (
        array[top + 20 : top + 22, left + 31].mean(),
        array[top + 30 : top + 32, left + 30 : left + 32].mean(),
    )
    dark, bright = np.percentile(array[top : top + 82, left : left + 82], [1, 98])
    assert cutout.values[10, 15] - cutout.values[15, 15] == pytest.approx((rest - pair) / (bright - dark), rel=0.02)
    assert np.abs(cutout.values[cutout.mask]).max() < 3


def test_all_used_is_the_same_as_nothing_said():
    array = counts()
    plain, other = (
        Cutout.around(array, DISK, pixels=40, used=used) for used in (None, np.ones((110, 130), dtype=bool))
    )
    np.testing.assert_array_equal(plain.values, other.values)
    np.testing.assert_array_equal(plain.mask, other.mask)


def test_single_electrons_are_measured_by_the_brightest():
    """Most pixels hold none, so that dark and bright level are one."""
    array = np.zeros((110, 130))
    array[40:60:5, 50:70:5] = 1.0
    cutout = Cutout.around(array, DISK, reach=1.2, pixels=72)
    assert (cutout.dark, cutout.bright) == (0.0, 1.0)
    assert cutout.values.max() == 1.0
