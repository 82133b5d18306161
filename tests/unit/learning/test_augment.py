"""Bright dots go where they should; backgrounds, noise and hot pixels have the size they claim."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.learning import augment
from pacbed.learning.augment import Distortion, center_of_mass, degrade, diffuse_background, distort, turn_randomly

STILL = Distortion(1.0, 0.0, np.zeros(2), np.zeros(2), np.array([False, False]))


@pytest.fixture
def dots():
    """Many copies of one bright dot, away from every symmetry."""
    images = np.zeros((400, 9, 9), dtype=np.float32)
    images[:, 1, 3] = 1.0
    return images


def test_turns_without_flips_are_the_four_rotations(dots):
    turned = turn_randomly(dots, rng=np.random.default_rng(1), flip=False)
    assert {tuple(found[1:]) for found in np.argwhere(turned)} == {
        (1, 3),
        (5, 1),
        (7, 5),
        (3, 7),
    }  # the dot keeps its handedness
    assert turned.sum() == 400


def test_flips_reach_the_other_four_corners(dots):
    turned = turn_randomly(dots, rng=np.random.default_rng(1), flip=True)
    assert len({tuple(found[1:]) for found in np.argwhere(turned)}) == 8
    assert dots[:, 1, 3].all()  # the originals stay


def test_center_of_mass(dots):
    np.testing.assert_allclose(center_of_mass(dots)[0], [3.5 / 9, 1.5 / 9], rtol=1e-6)


@pytest.fixture
def dot():
    """One bright pixel 8 pixels right of the centre of 41."""
    image = np.zeros((41, 41), dtype=np.float32)
    image[20, 28] = 1.0
    return image


def brightest(image):
    """Row and column of the maximum."""
    return tuple(int(index) for index in np.unravel_index(np.argmax(image), image.shape))


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({}, (20, 28)),
        ({"rotation_deg": 90.0}, (28, 20)),  # from +x towards +y, y down
        ({"rotation_deg": -90.0}, (12, 20)),
        ({"scale": 2.0}, (20, 24)),  # larger pixels: looks smaller
        ({"shift": np.array([4 / 41, -2 / 41])}, (18, 32)),
        ({"shift": np.array([4 / 41, -2 / 41]), "scale": 2.0}, (18, 28)),  # a shift is one of the result
        ({"flips": np.array([True, False])}, (20, 12)),
        ({"flips": np.array([False, True]), "rotation_deg": 90.0}, (28, 20)),
        ({"shear_deg": np.array([0.0, 45.0])}, (12, 28)),
    ],
)
def test_a_bright_dot_goes_where_it_should(dot, change, target):
    assert brightest(distort(dot, STILL._replace(**change), pixels=41)) == target


def test_rotation_by_any_angle_turns_the_centre_of_mass():
    """A round blob, 10 pixels right of the centre, at the angle of the turn."""
    y, x = np.mgrid[:61, :61] - 30.0
    blob = np.exp(-((x - 10) ** 2 + y**2) / 8).astype(np.float32)
    for angle_deg in (30.0, 135.0, -72.0):
        turned = distort(blob, STILL._replace(rotation_deg=angle_deg), pixels=61)
        center = 61 * center_of_mass(turned[None])[0] - 30.5
        angle = np.deg2rad(angle_deg)
        np.testing.assert_allclose(center, [10 * np.cos(angle), 10 * np.sin(angle)], atol=0.02)


def test_scaling_changes_the_area_by_the_square():
    """A disk of radius 12 pixels, seen with pixels 1.25 times as large."""
    y, x = np.mgrid[:61, :61] - 30.0
    disk = (x**2 + y**2 < 144).astype(np.float32)
    smaller = distort(disk, STILL._replace(scale=1.25), pixels=61)
    assert disk.sum() / smaller.sum() == pytest.approx(1.25**2, rel=0.01)


def test_undistorted_and_resampled(dot):
    np.testing.assert_allclose(distort(dot, STILL, pixels=41), dot, atol=1e-6)
    coarse = distort(np.kron(dot, np.ones((2, 2), np.float32)), STILL, pixels=41)
    assert coarse.shape == (41, 41)
    assert brightest(coarse) == (20, 28)


def test_background_is_smooth_and_bounded():
    background = diffuse_background(np.full((200, 2), 0.5), 48, rng=np.random.default_rng(2))
    assert background.dtype == np.float32
    assert background.min() >= 0
    height = background.max(axis=(1, 2))
    assert 0.8 * augment.DIFFUSE_MAX < height.max() <= augment.DIFFUSE_MAX
    assert height.min() < 0.02
    steps = np.abs(np.diff(background, axis=2)).max(axis=(1, 2))
    assert np.all(steps <= 0.25 * height + 1e-6)


def test_background_follows_the_pattern():
    background = diffuse_background(np.tile([0.35, 0.6], (200, 1)), 64, rng=np.random.default_rng(2))
    brightest = np.array([np.unravel_index(np.argmax(image), image.shape) for image in background])
    np.testing.assert_allclose(np.median(brightest, axis=0) / 64, [0.6, 0.35], atol=0.03)


def test_nothing_is_added_where_nothing_is_asked(monkeypatch):
    for name in ("DIFFUSE_MAX", "OFFSET_MAX", "HOT_PIXELS_MAX"):
        monkeypatch.setattr(augment, name, 0)
    monkeypatch.setattr(augment, "ELECTRONS", (1e16, 1e17))
    images = np.random.default_rng(1).random((3, 16, 16), dtype=np.float32)
    kept = images.copy()
    seen = degrade(images, rng=np.random.default_rng(1), noise_max=0.0)
    np.testing.assert_allclose(seen, kept / kept.max(axis=(1, 2), keepdims=True), atol=1e-5)
    assert np.array_equal(images, kept)


def test_counting_noise_grows_with_the_root_of_the_signal(monkeypatch):
    for name in ("DIFFUSE_MAX", "OFFSET_MAX", "HOT_PIXELS_MAX"):
        monkeypatch.setattr(augment, name, 0)
    monkeypatch.setattr(augment, "ELECTRONS", (100.0, 100.0001))
    images = np.ones((40, 32, 32), dtype=np.float32)
    images[:, :, 16:] = 0.25
    seen = degrade(images, rng=np.random.default_rng(3), noise_max=0.0)
    assert seen[:, :, :16].std() == pytest.approx(0.1, rel=0.02)
    assert seen[:, :, 16:].std() == pytest.approx(0.05, rel=0.02)


def test_gaussian_noise_stays_below_its_maximum(monkeypatch):
    for name in ("DIFFUSE_MAX", "OFFSET_MAX", "HOT_PIXELS_MAX"):
        monkeypatch.setattr(augment, name, 0)
    monkeypatch.setattr(augment, "ELECTRONS", (1e12, 1.1e12))
    images = np.ones((300, 24, 24), dtype=np.float32)
    sigma = degrade(images, rng=np.random.default_rng(3), noise_max=0.1).std(axis=(1, 2))
    assert 0.09 < sigma.max() < 0.105
    assert np.median(sigma) == pytest.approx(0.025, abs=0.006)  # the square of a uniform number


def test_a_camera_has_one_offset_per_pattern(monkeypatch):
    for name in ("DIFFUSE_MAX", "HOT_PIXELS_MAX"):
        monkeypatch.setattr(augment, name, 0)
    monkeypatch.setattr(augment, "ELECTRONS", (1e16, 1e17))
    images = np.ones((300, 8, 8), dtype=np.float32)
    offset = degrade(images, rng=np.random.default_rng(3), noise_max=0.0) - 1
    assert np.ptp(offset, axis=(1, 2)).max() < 1e-5
    assert -1e-6 < offset.min() < 0.02
    assert 0.28 < offset.max() <= augment.OFFSET_MAX + 1e-6


def test_hot_pixels_are_few_and_brighter_than_the_pattern(monkeypatch):
    for name in ("DIFFUSE_MAX", "OFFSET_MAX"):
        monkeypatch.setattr(augment, name, 0)
    monkeypatch.setattr(augment, "ELECTRONS", (1e16, 1e17))
    images = np.ones((500, 16, 16), dtype=np.float32)
    hot = degrade(images, rng=np.random.default_rng(3), noise_max=0.0) - 1 > 0.1
    count = hot.sum(axis=(1, 2))
    assert count.max() == augment.HOT_PIXELS_MAX
    assert count.mean() == pytest.approx(2 * augment.HOT_PIXEL_SHARE, abs=0.06)
    assert hot.any(axis=0).mean() > 0.4  # anywhere


def test_empty_pattern_survives():
    seen = degrade(np.zeros((2, 16, 16), dtype=np.float32), rng=np.random.default_rng(1), noise_max=0.1)
    assert np.isfinite(seen).all()
