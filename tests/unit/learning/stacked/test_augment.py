"""Bright dots go where they should, and patterns become those that the renderer makes."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.learning.stacked.augment import Distortion, distort
from pacbed.patterns import Geometry

STILL = Distortion(1.0, 0.0, np.zeros(2), np.zeros(2), np.array([False, False]))


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
        ({"flips": np.array([False, True]), "shift": np.array([0.0, 4 / 41])}, (24, 28)),
        ({"flips": np.array([True, True])}, (20, 12)),
        ({"rotation_deg": 180.0}, (20, 12)),
        ({"scale": 0.5}, (20, 36)),
        ({"shear_deg": np.array([0.0, 45.0])}, (12, 28)),
        ({"shear_deg": np.array([0.0, 45.0]), "rotation_deg": 90.0}, (28, 28)),  # the shear comes first
        ({"shear_deg": np.array([45.0, 0.0]), "rotation_deg": 90.0}, (28, 20)),  # along x, and the dot lies at y = 0
    ],
)
def test_a_bright_dot_goes_where_it_should(dot, change, target):
    assert brightest(distort(dot, STILL._replace(**change), pixels=41)) == target


def test_shears_move_by_the_tangent_of_their_angle():
    """A dot 8 pixels below the centre goes along x, one 8 pixels right of it along y; what lies on the axis stays."""
    image = np.zeros((41, 41), dtype=np.float32)
    image[28, 20] = 1.0
    assert brightest(distort(image, STILL._replace(shear_deg=np.array([45.0, 0.0])), pixels=41)) == (28, 12)
    assert brightest(distort(image, STILL._replace(shear_deg=np.array([0.0, 45.0])), pixels=41)) == (28, 20)
    assert brightest(distort(image, STILL._replace(shear_deg=np.array([-26.565, 0.0])), pixels=41)) == (28, 24)


def test_rotation_by_any_angle_turns_the_centre_of_mass():
    """A round blob, 10 pixels right of the centre, at the angle of the turn."""
    y, x = np.mgrid[:61, :61] - 30.0
    blob = np.exp(-((x - 10) ** 2 + y**2) / 8).astype(np.float32)
    for angle_deg in (30.0, 135.0, -72.0):
        turned = distort(blob, STILL._replace(rotation_deg=angle_deg), pixels=61)
        center = np.array([np.sum(x * turned), np.sum(y * turned)]) / turned.sum()
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


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"rotation_deg": 35.0}, {"rotation_deg": 35.0}),
        ({"scale": 1.2}, {"pixel_mrad": 1.2}),
        ({"shift": np.array([0.08, -0.05])}, {"shift": (0.08, -0.05)}),
        ({"flips": np.array([True, False])}, {"mistilt_mrad": (-2.0, 1.8)}),  # the crystal has both mirrors
        ({"flips": np.array([False, True])}, {"mistilt_mrad": (2.0, -1.8)}),
        (
            {"rotation_deg": -20.0, "scale": 0.85, "shift": np.array([-0.1, 0.1]), "flips": np.array([True, False])},
            {"rotation_deg": -20.0, "pixel_mrad": 0.85, "shift": (-0.1, 0.1), "mistilt_mrad": (-2.0, 1.8)},
        ),
    ],
    ids=["turned", "smaller", "shifted", "left-right", "up-down", "all"],
)
def test_a_distorted_pattern_is_the_one_that_would_be_rendered(renderer, change, seen):
    """A tilted crystal's pattern, which has no symmetry left."""
    pixels = 80

    def rendered(*, mistilt_mrad=(2.0, 1.8), rotation_deg=0.0, pixel_mrad=1.0, shift=(0.0, 0.0)):
        center = tuple((pixels - 1) / 2 + pixels * np.array(shift))
        view = Geometry((pixels, pixels), 0.5 * pixel_mrad, center, rotation_deg)
        at = {"thickness_nm": 7.3, "convergence_mrad": 13.5, "mistilt_mrad": mistilt_mrad, "blur_mrad": 1.0}
        return renderer.render(**at, geometry=view) / pixel_mrad**2  # per solid angle

    plain, expected, distortion = rendered(), rendered(**seen), STILL._replace(**change)
    inside = distort(np.ones_like(plain), distortion, pixels=pixels) > 0.99
    found = distort(plain, distortion, pixels=pixels)
    far, near = (np.linalg.norm((image - expected)[inside]) for image in (plain, found))
    assert inside.mean() > 0.6
    assert near < 0.15 * far, "what is left is interpolation"
