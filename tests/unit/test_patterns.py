"""What a pattern is: pixels in the diffraction plane, how two are compared, and 16-bit counts."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.patterns import LARGEST_COUNT, Geometry, bin_pixels, in_units, polar_to_vector, relative_l2


@pytest.mark.parametrize("mirrored", [False, True])
def test_geometry_vectors_go_back_and_forth(mirrored):
    geometry = Geometry((5, 7), 0.4, (2.5, 1.0), rotation_deg=33.0, mirrored=mirrored)
    vector = polar_to_vector(3.0, 50.0)
    np.testing.assert_allclose(geometry.to_crystal(geometry.to_image(vector)), vector)
    kx, ky = geometry.angles_mrad()
    np.testing.assert_allclose(geometry.to_image([kx[3, 6], ky[3, 6]]), [(6 - 2.5) * 0.4, (3 - 1.0) * 0.4])


def test_lines_lead_to_every_pixel():
    geometry = Geometry((4, 3), 0.5, (1.0, 2.0), rotation_deg=-20.0)
    origin, down, right = geometry.lines_mrad()
    angles = np.stack(geometry.angles_mrad(), axis=-1)
    for row, column in np.ndindex(4, 3):
        np.testing.assert_allclose(angles[row, column], origin + row * down + column * right)


def test_a_circle_appears_as_an_ellipse():
    """+3 % along x are -3 % along y, whatever the crystal's rotation; the diagonal part lies between; areas stay."""
    plain = Geometry((41, 41), 0.5, (20.0, 20.0), rotation_deg=50.0)
    for ellipse, longest in (((3.0, 0.0), [1.0, 0.0]), ((-3.0, 0.0), [0.0, 1.0]), ((0.0, 3.0), [0.5**0.5, 0.5**0.5])):
        bent = Geometry((41, 41), 0.5, (20.0, 20.0), rotation_deg=50.0, ellipse_percent=ellipse)
        radius = np.hypot(*bent.angles_mrad()) / np.maximum(np.hypot(*plain.angles_mrad()), 1e-9)
        across = np.array([-longest[1], longest[0]])
        for direction, growth in ((np.array(longest), np.exp(-0.03)), (across, np.exp(0.03))):
            column, row = np.rint(20 + 14 * direction).astype(int)
            assert radius[row, column] == pytest.approx(growth, rel=1e-9)
        assert abs(np.linalg.det(bent.lines_mrad()[1:])) == pytest.approx(0.25)
        np.testing.assert_allclose(bent.to_image([1.0, 0.0]), plain.to_image([1.0, 0.0]))


def test_the_crystals_x_axis_appears_at_the_rotation():
    turned = Geometry((3, 3), 1.0, (1.0, 1.0), rotation_deg=90.0)
    np.testing.assert_allclose(turned.to_image([1.0, 0.0]), [0.0, 1.0], atol=1e-12)  # down
    np.testing.assert_allclose(Geometry((3, 3), 1.0, (1.0, 1.0), mirrored=True).to_image([0.0, 1.0]), [0.0, -1.0])


def test_a_field_of_view_is_centred():
    kx, ky = Geometry.field_of_view(10, 20.0).angles_mrad()
    np.testing.assert_allclose(kx[0], -kx[0, ::-1])
    np.testing.assert_allclose(kx.T, ky)
    assert kx.max() == pytest.approx(20.0 - 2.0)  # centre of the outermost pixel, half a pixel from the edge


@pytest.mark.parametrize(("azimuth", "expected"), [(0.0, (2.0, 0.0)), (90.0, (0.0, 2.0)), (225.0, (-(2**0.5),) * 2)])
def test_azimuths_count_from_x_towards_y(azimuth, expected):
    np.testing.assert_allclose(polar_to_vector(2.0, azimuth), expected, atol=1e-12)


def test_relative_l2_of_a_scaled_pattern():
    pattern = np.random.default_rng(1).random((5, 6))
    assert relative_l2(1.25 * pattern, pattern) == pytest.approx(0.25)
    assert relative_l2(pattern, pattern) == 0.0


def test_counts_are_rounded_and_clipped():
    counts = in_units(np.array([-1.0, 0.0, 0.49, 0.51, 7.2, 65_534.6, 1e9], dtype=np.float32) * 2e-3, 2e-3)
    assert counts.dtype == np.uint16
    np.testing.assert_array_equal(counts, [0, 0, 0, 1, 7, LARGEST_COUNT, LARGEST_COUNT])


def test_binning_keeps_means_and_cuts_the_rest():
    binned = bin_pixels(np.arange(35.0).reshape(5, 7), 2)
    assert binned.shape == (2, 3)
    assert binned[0, 0] == pytest.approx(np.mean([0, 1, 7, 8]))
