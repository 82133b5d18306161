import numpy as np
import pytest

from pacbed.strays import fill, stray_objects

ROW, COLUMN = np.indices((96, 96))
DISK = np.hypot(ROW - 48, COLUMN - 48) < 30


def frame(level=400.0, dark=100.0, seed=1):
    return np.random.default_rng(seed).poisson(dark + level * DISK).astype(np.float32)


def found(image, level=400.0, dark=100.0):
    return stray_objects(image, DISK, level=level, dark=dark)


def test_a_plain_disk_has_no_stray_objects():
    assert found(frame()) is None


def test_an_uneven_disk_has_none_either():
    """Fringes reach somewhat more than twice the mean."""
    fringes = 1 + 1.2 * np.cos(ROW / 3) ** 8
    assert found(np.random.default_rng(2).poisson(100 + 400 * DISK * fringes).astype(np.float32)) is None


@pytest.mark.parametrize("size", [3, 4, 6])
def test_a_hot_cluster_is_found_with_its_rim_and_little_more(size):
    image = frame()
    image[40 : 40 + size, 50 : 50 + size] = 60000
    pixels = found(image)
    assert pixels[40 : 40 + size, 50 : 50 + size].all()
    assert pixels.sum() < (size + 8) ** 2


def test_a_stray_spot_is_found_down_to_its_foot():
    spot = 8000 * np.exp(-0.5 * ((ROW - 70) ** 2 + (COLUMN - 20) ** 2) / 9)
    pixels = found(frame() + spot.astype(np.float32))
    assert spot[~pixels].max() < 0.1 * 400
    assert pixels.sum() < 700


def test_an_object_at_the_rim_of_the_frame():
    image = frame()
    image[:4, :4] = 60000
    assert found(image)[:4, :4].all()


def test_few_electrons_are_none():
    """Each is far above the mean level."""
    image = np.random.default_rng(3).poisson(0.02 * DISK).astype(np.float32)
    assert found(image, level=0.02, dark=0.0) is None


def test_filling_keeps_what_is_used_and_goes_on_smoothly():
    smooth = (3.0 * ROW + COLUMN).astype(np.float32)
    used = np.ones(smooth.shape, dtype=bool)
    used[30:45, 20:50], used[:, 60], used[0, 0] = False, False, False
    filled = fill(np.where(used, smooth, np.nan), used)
    np.testing.assert_array_equal(filled[used], smooth[used])
    assert np.abs(filled - smooth)[1:, 60].max() < 4
    assert np.abs(filled - smooth).max() < 30
    assert np.isfinite(filled).all()


def test_hardly_any_pixel_fills_a_whole_frame():
    used = np.zeros((64, 64), bool)
    used[10, 20:23] = True
    np.testing.assert_allclose(fill(np.full((64, 64), 9.0), used), 9.0, rtol=1e-5)


def test_far_from_all_that_counts_the_nearest_value_is_taken():
    """With means as wide as the frame, this one would take hours."""
    used = np.zeros((64, 40000), bool)
    used[:, :100] = True
    image = np.where(used, np.arange(64.0)[:, None], np.nan)
    filled = fill(image, used)
    assert np.isfinite(filled).all()
    np.testing.assert_allclose(filled[:, -1], filled[:, 1000], rtol=1e-6)
    assert filled.min() >= 0 and filled.max() <= 63
