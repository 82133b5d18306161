import numpy as np
import pytest
from scipy import ndimage

from pacbed.analysis.recording.resampling import resample, smooth_and_bin
from pacbed.patterns import Geometry, bin_pixels


def test_resampling_agrees_with_rendering(tiny_bundle):
    source = Geometry((300, 280), 0.17, (150.2, 131.7), 35.0)
    target = Geometry.field_of_view(64, 22.5)
    settings = {"thickness_nm": 8.0, "convergence_mrad": 14.0, "mistilt_mrad": (2.5, 1.0), "edge_mrad": 0.7}
    image = tiny_bundle.renderer.render(geometry=source, **settings) / source.pixel_mrad**2
    direct = tiny_bundle.renderer.render(geometry=target, blur_mrad=0.3, **settings) / target.pixel_mrad**2
    near = np.linalg.norm(resample(image, source, target) - direct)
    turned = resample(image, source, Geometry(target.shape, target.pixel_mrad, target.center_px, 90.0))
    assert near < 0.05 * np.linalg.norm(direct)
    assert np.linalg.norm(turned - direct) > 1.5 * near


def test_resampling_onto_the_same_pixels_changes_nothing():
    image = np.random.default_rng(1).random((40, 44)).astype(np.float32)
    geometry = Geometry((40, 44), 0.5, (20.0, 19.0), 30.0)
    np.testing.assert_allclose(resample(image, geometry, geometry)[1:-1, 1:-1], image[1:-1, 1:-1], atol=1e-5)


def test_what_was_not_recorded_is_dark():
    image = np.full((40, 40), 7.0, dtype=np.float32)
    image[:4] = 2.0  # a tenth: the second percentile
    source, target = Geometry((40, 40), 0.5, (19.5, 19.5)), Geometry((40, 40), 1.5, (19.5, 19.5))
    seen = resample(image, source, target)
    assert seen[0, 0] == pytest.approx(2.0) and seen[20, 20] == pytest.approx(7.0, abs=0.1)


def test_a_mirrored_source_is_seen_right_way_round():
    image = np.random.default_rng(2).random((41, 41)).astype(np.float32)
    plain, mirrored = Geometry((41, 41), 0.5, (20.0, 20.0)), Geometry((41, 41), 0.5, (20.0, 20.0), 0.0, mirrored=True)
    np.testing.assert_allclose(resample(image, mirrored, plain), image[::-1], atol=1e-5)


@pytest.mark.parametrize("sigma_px", [0.5, 3.9, 4.0, 13.3])
def test_binning_first_smooths_as_much(sigma_px):
    wave = np.cos(np.arange(600) * 2 * np.pi / (8 * sigma_px))
    image = np.outer(wave, wave).astype(np.float32) + 1
    smooth = smooth_and_bin(image, sigma_px)
    assert smooth.factor == max(1, int(sigma_px / 2))
    direct = bin_pixels(ndimage.gaussian_filter(image, sigma_px), smooth.factor)
    inner = (slice(4, -4),) * 2
    np.testing.assert_allclose(smooth.image[inner], direct[inner], atol=0.01 * np.ptp(direct))


def test_a_camera_of_many_pixels_sees_the_same_through_few():
    pixels = np.arange(2000)
    disk = (np.hypot(pixels[:, None] - 890.5, pixels[None] - 1120.2) < 500).astype(np.float32)
    source = Geometry(disk.shape, 0.02, (1120.2, 890.5), 20.0)
    target = Geometry.field_of_view(64, 16.0)
    seen = resample(disk, source, target)
    radius = np.hypot(*target.angles_mrad())
    np.testing.assert_allclose(seen[radius < 9], 1.0, atol=1e-3)
    np.testing.assert_allclose(seen[radius > 11], 0.0, atol=1e-3)
    assert np.pi * 10**2 == pytest.approx(seen.sum() * target.pixel_mrad**2, rel=2e-3)
