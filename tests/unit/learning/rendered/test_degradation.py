"""Backgrounds, noise and hot pixels have the size they claim; noise is what a camera's pixels would have left of it."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.analysis.recording.resampling import resample
from pacbed.learning.rendered import degradation
from pacbed.learning.rendered.degradation import CameraPixels, degrade, diffuse_background, mask_field, noise_gain
from pacbed.networks.frame import PolarFrame
from pacbed.patterns import Geometry

FRAME = PolarFrame()


def camera(count, *, ratio=3.0, brightest=1e-4):
    return CameraPixels(np.full(count, ratio), np.full(count, brightest))


@pytest.fixture
def switched(monkeypatch):
    """Leaves one kind of degradation, or none."""

    def leave(*, electrons=1e30, **kept):
        for name in ("DIFFUSE_MAX", "OFFSET_MAX", "HOT_PIXELS_MAX"):
            if name not in kept:
                monkeypatch.setattr(degradation, name, 0)
        monkeypatch.setattr(degradation, "ELECTRONS", (electrons, electrons * 1.0001))

    return leave


def test_nothing_is_added_where_nothing_is_asked(switched):
    switched()
    images = np.random.default_rng(1).random((3, 16, 16), dtype=np.float32)
    kept = images.copy()
    seen = degrade(images, camera(3), rng=np.random.default_rng(1), noise_max=0.0)
    np.testing.assert_allclose(seen.images, kept, atol=1e-5)
    assert np.array_equal(images, kept)
    assert np.array_equal(seen.diffuse, np.zeros(3))


@pytest.mark.parametrize("radius_px", [25.0, 52.0, 130.0])
@pytest.mark.parametrize("kind", ["gaussian", "counted"])
def test_noise_is_that_of_a_camera_seen_through_the_frame(switched, radius_px, kind):
    """A flat disk on a camera of 200 pixels or more, noisy pixel by pixel, then resampled as in a prediction."""
    electrons, sigma, size = 2e5, 0.1, int(4 * radius_px)
    rng = np.random.default_rng(4)
    area = np.pi * radius_px**2
    y, x = np.mgrid[:size, :size]
    center = (size / 2 - 0.3, size / 2 + 0.4)
    disk = (np.hypot(x - center[0], y - center[1]) < radius_px).astype(float)
    source = Geometry((size, size), 1 / radius_px, center)
    direct = []
    for _ in range(6):
        noisy = rng.poisson(electrons / area * disk) * area / electrons if kind == "counted" else disk
        noisy = noisy + (sigma * rng.standard_normal(disk.shape) if kind == "gaussian" else 0)
        direct.append(resample(noisy, source, FRAME.geometry))
    grid = (np.arange(64) - 31.5) * FRAME.pixel
    inside = np.hypot(grid, grid[:, None]) < 0.7
    expected = np.std([image[inside] for image in direct])

    switched(electrons=electrons if kind == "counted" else 1e30)
    images = np.ones((800, 64, 64), dtype=np.float32)
    pixels = camera(800, ratio=FRAME.pixel * radius_px, brightest=1 / area)
    seen = degrade(images, pixels, rng=rng, noise_max=sigma if kind == "gaussian" else 0.0).images
    spread = float(np.mean(seen[:, inside].std(axis=1)))
    # sigma is its maximum times the square of a uniform number, a third in the mean.
    assert spread == pytest.approx(expected / (3 if kind == "gaussian" else 1), rel=0.12)


def test_neighbours_share_noise_as_resampled_ones_do(switched):
    switched()
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((300, 300))
    through = resample(noise, Geometry((300, 300), 1 / 52.0, (149.3, 149.9)), FRAME.geometry)[8:-8, 8:-8]
    seen = degrade(np.ones((40, 64, 64), np.float32), camera(40), rng=rng, noise_max=0.1).images
    expected = np.corrcoef(through[:, 1:].ravel(), through[:, :-1].ravel())[0, 1]
    normal = (seen - seen.mean(axis=(1, 2), keepdims=True)) / seen.std(axis=(1, 2), keepdims=True)
    assert np.mean(normal[:, :, 1:] * normal[:, :, :-1]) == pytest.approx(expected, abs=0.06)


def test_larger_pixels_see_less_noise():
    gain = noise_gain(np.array([1.0, 2.0, 3.0, 6.0, 30.0]))
    assert np.all(np.diff(gain) < 0)
    assert gain[0] == pytest.approx(2 / 3, rel=0.01)  # interpolation between two pixels, along both axes
    # A Gaussian of 0.45 new pixels leaves the variance 1 / (4 pi sigma^2) in old ones.
    assert gain[4] ** 2 == pytest.approx(1 / (4 * np.pi * (0.45 * 30) ** 2), rel=0.02)


def test_counting_noise_grows_with_the_root_of_the_signal(switched):
    switched(electrons=1e4)
    images = np.ones((60, 32, 32), dtype=np.float32)
    images[:, :, 16:] = 0.25
    seen = degrade(images, camera(60), rng=np.random.default_rng(3), noise_max=0.0).images
    assert seen[:, :, 1:15].std() == pytest.approx(2 * seen[:, :, 17:].std(), rel=0.03)


def test_gaussian_noise_is_small_more_often_than_large(switched):
    switched()
    images = np.ones((400, 24, 24), dtype=np.float32)
    sigma = degrade(images, camera(400), rng=np.random.default_rng(3), noise_max=0.1).images.std(axis=(1, 2))
    gain = noise_gain(np.array([3.0]))[0]
    assert 0.088 < sigma.max() / gain < 0.11
    assert np.median(sigma) / gain == pytest.approx(0.025, abs=0.006)  # the square of a uniform number


def test_background_is_smooth_and_has_its_height():
    height = np.linspace(0.0, 1.2, 200)
    background = diffuse_background(height, 48, rng=np.random.default_rng(2))
    assert background.dtype == np.float32
    assert background.min() >= 0
    found = background.max(axis=(1, 2))
    assert np.all(found <= height + 1e-6)
    assert np.median(found[1:] / height[1:]) > 0.85
    assert np.all(np.abs(np.diff(background, axis=2)).max(axis=(1, 2)) <= 0.25 * height + 1e-6)


def test_backgrounds_lie_near_the_bright_region():
    background = diffuse_background(np.ones(300), 64, rng=np.random.default_rng(2))
    brightest = np.array([np.unravel_index(np.argmax(image), image.shape) for image in background])
    np.testing.assert_allclose(np.median(brightest, axis=0), 31.5, atol=1.5)


def test_a_camera_has_one_offset_per_pattern(switched):
    switched(OFFSET_MAX=True)
    images = np.ones((300, 8, 8), dtype=np.float32)
    offset = degrade(images, camera(300), rng=np.random.default_rng(3), noise_max=0.0).images - 1
    assert np.ptp(offset, axis=(1, 2)).max() < 1e-5
    assert -1e-6 < offset.min() < 0.02
    assert 0.28 < offset.max() <= degradation.OFFSET_MAX + 1e-6


def test_hot_pixels_are_few_and_brighter_than_the_pattern(switched):
    switched(HOT_PIXELS_MAX=True)
    images = np.ones((500, 16, 16), dtype=np.float32)
    hot = degrade(images, camera(500), rng=np.random.default_rng(3), noise_max=0.0).images - 1 > 0.1
    count = hot.sum(axis=(1, 2))
    assert count.max() == degradation.HOT_PIXELS_MAX
    assert count.mean() == pytest.approx(2 * degradation.HOT_PIXEL_SHARE, abs=0.06)
    assert hot.any(axis=0).mean() > 0.4  # anywhere


def test_beyond_the_field_of_view_it_is_dark(monkeypatch):
    monkeypatch.setattr(degradation, "FIELD", (1.0, 1.0))
    monkeypatch.setattr(degradation, "SHIFT_MAX", 0.0)
    rng = np.random.default_rng(2)
    images = rng.uniform(3.0, 4.0, (2, 64, 64)).astype(np.float32)
    whole = images.copy()
    mask_field(images, np.array([1.2, 9.0]), rng=rng)
    grid = np.abs((np.arange(64) - 31.5) * FRAME.pixel)
    inside = np.maximum(grid, grid[:, None]) < 1.2
    assert np.array_equal(images[0, inside], whole[0, inside])
    np.testing.assert_allclose(images[0, ~inside], np.percentile(whole[0, inside], 2), rtol=1e-5)
    assert np.array_equal(images[1], whole[1])


def test_the_field_of_view_is_off_centre_and_of_any_width():
    rng = np.random.default_rng(2)
    whole = rng.uniform(3.0, 4.0, (200, 64, 64)).astype(np.float32)
    images = whole.copy()
    mask_field(images, np.full(200, 0.7), rng=rng)
    kept = (images == whole).mean(axis=1) > 0.2  # columns inside the field
    width, left, right = kept.sum(axis=1), kept.argmax(axis=1), kept[:, ::-1].argmax(axis=1)
    half = width * FRAME.pixel / 2
    assert half.min() == pytest.approx(0.9 * 0.7, abs=0.05)
    assert half.max() == pytest.approx(2.0 * 0.7, abs=0.05)
    shift = (left - right) * FRAME.pixel / 2 / (2 * half)
    assert 0.08 < np.abs(shift).max() < 0.12


def test_empty_pattern_survives():
    seen = degrade(np.zeros((2, 16, 16), dtype=np.float32), camera(2), rng=np.random.default_rng(1), noise_max=0.1)
    assert np.isfinite(seen.images).all()
