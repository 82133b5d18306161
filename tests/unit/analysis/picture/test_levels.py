import numpy as np

from pacbed.analysis.picture.levels import intensity_range, thinned


def test_the_range_of_a_large_frame_is_that_of_all_its_pixels():
    array = np.random.default_rng(1).normal(100, 10, (1024, 900))
    low, high = intensity_range(array)
    np.testing.assert_allclose([low, high], np.percentile(array, [5, 99.5]), atol=0.3)
    assert thinned(array).size < array.size / 8


def test_what_is_not_finite_does_not_count():
    array = np.tile(np.arange(200.0), (50, 1))
    array[::2] = np.nan
    np.testing.assert_allclose(intensity_range(array), np.percentile(np.arange(200.0), [5, 99.5]))
    sparse = np.full((600, 600), np.nan)
    sparse[5] = np.arange(600.0)
    assert intensity_range(sparse)[1] > 500


def test_a_small_frame_stays_whole():
    assert thinned(np.zeros((128, 128))).shape == (128, 128)
