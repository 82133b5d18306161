import numpy as np
import pytest

from pacbed.analysis.fit.matching.polar import ANGLES, RADII, angular_spectrum, polar_image
from pacbed.outline import Outline
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS

OUTLINE = Outline(center_px=(52.0, 47.0), radius_px=30.0, contrast=3.0, inside=1.0)


def lobes(turn_deg=0.0, count=3):
    """A smooth pattern with some lobes, turned from +x towards +y; its value has a closed form."""
    row, column = np.indices((100, 110))
    x, y = (column - 52.0) / 30.0, (row - 47.0) / 30.0
    return np.hypot(x, y) ** 2 * np.cos(count * (np.arctan2(y, x) - np.deg2rad(turn_deg)))


def test_rings_and_angles_are_where_they_are_said_to_be():
    polar = polar_image(lobes(), OUTLINE)
    assert polar.shape == (len(RADII), ANGLES)
    angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
    np.testing.assert_allclose(polar, RADII[:, None] ** 2 * np.cos(3 * angle), atol=0.02)


def test_a_rotation_is_a_shift_of_the_angle():
    plain, turned = polar_image(lobes(), OUTLINE), polar_image(lobes(turn_deg=30.0), OUTLINE)
    np.testing.assert_allclose(turned, np.roll(plain, ANGLES // 12, axis=1), atol=0.02)


def test_a_spectrum_has_unit_norm_over_all_frequencies():
    spectrum = angular_spectrum(polar_image(lobes() + 2.0, OUTLINE))
    whole = np.fft.fft(np.fft.irfft(spectrum, ANGLES, axis=1), axis=1)
    assert np.linalg.norm(whole) == pytest.approx(1.0, rel=1e-5)


def test_gain_and_smooth_background_do_not_show():
    pattern = polar_image(lobes(), OUTLINE)
    smooth = 0.7 + 0.4 * np.exp(-0.5 * (RADII / BACKGROUND_WIDTHS[0]) ** 2)
    np.testing.assert_allclose(
        angular_spectrum(5.0 * pattern + smooth[:, None]), angular_spectrum(pattern), atol=1e-5
    )  # fmt: skip
