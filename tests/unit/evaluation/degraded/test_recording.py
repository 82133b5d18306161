from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.evaluation.degraded.recording import record, write_picture
from pacbed.evaluation.degraded.settings import Blur, Degradation, File, Light, Spot, Told, View

RAMP = np.linspace(0.0, 1.0, 1600).reshape(40, 40)


def written(how, tmp_path, picture=RAMP):
    return np.asarray(iio.imread(write_picture(picture, how, tmp_path / "one", rng=np.random.default_rng(1))))


def test_sixteen_bits_with_an_offset(tmp_path):
    counts = written(File(brightest=0.4, offset=0.1), tmp_path)
    assert counts.dtype == np.uint16
    assert counts.max() == round(0.4 * 65535)
    assert counts.min() == pytest.approx(0.1 / 1.1 * counts.max(), abs=1)


def test_a_clipped_camera_ends_at_its_twelve_bits(tmp_path):
    counts = written(File(clipped=0.2), tmp_path)
    assert (counts.dtype, counts.max()) == (np.uint16, 4095)
    assert np.mean(counts == 4095) == pytest.approx(0.2, abs=0.01)
    assert len(np.unique(counts[counts < 4095])) > 1000


def test_a_jpeg_has_its_gamma(tmp_path):
    half, linear = (written(File(offset=0.0, gamma=gamma), tmp_path).astype(float) for gamma in (0.5, 1.0))
    assert half.max() <= 255
    assert half[20, 20] == pytest.approx(255 * np.sqrt(RAMP[20, 20]), abs=4)
    assert linear[20, 20] == pytest.approx(255 * RAMP[20, 20], abs=4)


def test_spots_are_where_they_were_put(tmp_path):
    square = Spot((0.5, 0.25), None, edge_px=4)
    counts = written(File(spots=(square,)), tmp_path)
    assert np.argwhere(counts == 65535).min(axis=0).tolist() == [10, 20]
    assert np.sum(counts == 65535) == 16
    stray = Spot((0.25, 0.75), 5.0, sigma_px=2.0)
    counts = written(File(brightest=0.1, spots=(stray,)), tmp_path)
    assert np.unravel_index(counts.argmax(), counts.shape) == (30, 10)
    assert counts.max() > 4 * 0.1 * 65535


def test_a_recording_counts_electrons_and_says_what_the_user_says(area, tmp_path):
    how = Degradation(
        View(pixels=48, radius_px=12.0), Blur(), Light(electrons=3e4), File(offset=0.0), Told(-0.24, pixel_error=0.02)
    )
    found = record(area, how, tmp_path / "one", rng=np.random.default_rng(2))
    assert (found.given_mrad, found.electrons) == (13.8, 3e4)
    assert found.given_pixel_mrad == pytest.approx(1.02 * found.truth.pixel_mrad)
    again = record(area, how, tmp_path / "two", rng=np.random.default_rng(2))
    np.testing.assert_array_equal(iio.imread(found.file), iio.imread(again.file))
    more = replace(how, light=Light(electrons=3e6), told=Told())
    quiet = record(area, more, tmp_path / "three", rng=np.random.default_rng(2))
    assert quiet.given_pixel_mrad is None
    rough, smooth = (np.asarray(iio.imread(one.file)).astype(float)[20:28, 20:28] for one in (found, quiet))
    assert rough.std() / rough.mean() > 3 * smooth.std() / smooth.mean()
