"""Turns are exact; backgrounds, noise and stray pixels have the size they claim."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.learning import augment
from pacbed.learning.augment import center_of_mass, degrade, diffuse_background, turn_randomly


@pytest.fixture
def dots():
    """Many copies of one bright dot, away from every symmetry."""
    images = np.zeros((400, 9, 9), dtype=np.float32)
    images[:, 1, 3] = 1.0
    return images


def test_turns_without_flips_are_the_four_rotations(dots):
    turned = turn_randomly(dots, rng=np.random.default_rng(1), flip=False)
    places = {tuple(place[1:]) for place in np.argwhere(turned)}
    assert places == {(1, 3), (5, 1), (7, 5), (3, 7)}  # the dot keeps its handedness
    assert turned.sum() == 400


def test_flips_reach_the_other_four_places(dots):
    turned = turn_randomly(dots, rng=np.random.default_rng(1), flip=True)
    assert len({tuple(place[1:]) for place in np.argwhere(turned)}) == 8
    assert dots[:, 1, 3].all()  # the originals stay


def test_center_of_mass(dots):
    np.testing.assert_allclose(center_of_mass(dots)[0], [3.5 / 9, 1.5 / 9], rtol=1e-6)


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


def test_empty_pattern_survives():
    seen = degrade(np.zeros((2, 16, 16), dtype=np.float32), rng=np.random.default_rng(1), noise_max=0.1)
    assert np.isfinite(seen).all()
