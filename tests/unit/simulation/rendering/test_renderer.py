"""One pattern against a naive sum, its limits, and its symmetry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.patterns import Geometry

FIELD = 22.0


def test_zero_thickness_is_a_flat_disk(renderer):
    """Area of the disk within 0.1 %, value 1 / (pi alpha^2) per solid angle inside, nothing outside."""
    geometry = Geometry.field_of_view(160, FIELD)
    image = renderer.render(thickness_nm=0.0, convergence_mrad=13.3, geometry=geometry)
    radius = np.hypot(*geometry.angles_mrad())
    flat = geometry.pixel_mrad**2 / (np.pi * 13.3**2)
    edge = np.linalg.norm(renderer.table.pitch_mrad, axis=1).max()
    np.testing.assert_allclose(image[radius < 13.3 - edge], flat, rtol=1e-4)
    assert np.abs(image[radius > 13.3 + edge]).max() < 1e-5 * flat  # sums of 32-bit numbers that cancel
    assert image.sum() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("edge", [0.0, 1.3])
def test_naive_sum(renderer, naive, edge):
    """Also where disks end: half of the points lie on the rim of the undiffracted one."""
    alpha, tilt = 11.0, np.array([1.3, -0.6])
    rim = alpha + np.linspace(-0.6, 0.6, 15)[:, None] * max(edge, 0.5)
    azimuth = np.linspace(0.3, 6.0, 15)[:, None]
    points = [
        *np.random.default_rng(3).uniform(-15, 15, (20, 2)),
        *(rim * np.hstack([np.cos(azimuth), np.sin(azimuth)])),
    ]
    for k in points:
        expected = naive(k, thickness_nm=7.3, alpha=alpha, tilt=tilt, edge=edge, pixel_mrad=0.1)
        geometry = Geometry((1, 1), 0.1, (-k[0] / 0.1, -k[1] / 0.1))
        image = renderer.render(
            thickness_nm=7.3, convergence_mrad=alpha, geometry=geometry, mistilt_mrad=tilt, edge_mrad=edge
        )
        assert image[0, 0] == pytest.approx(expected, rel=2e-4, abs=1e-9)


def test_pixels_of_an_image_are_those_of_single_points(renderer):
    """The sum over beams with its corrections at the edges equals rendering each pixel alone."""
    geometry = Geometry((9, 7), 3.1, (3.3, 4.1), rotation_deg=17.0)
    options = {"thickness_nm": 6.0, "convergence_mrad": 12.0, "mistilt_mrad": (1.0, 2.0)}
    image = renderer.render(geometry=geometry, **options)
    for row, column in [(0, 0), (4, 3), (8, 6), (2, 5), (6, 1)]:
        alone = Geometry((1, 1), 3.1, (3.3 - column, 4.1 - row), rotation_deg=17.0)
        assert image[row, column] == pytest.approx(renderer.render(geometry=alone, **options)[0, 0], rel=1e-4)
    assert len(np.unique(image)) > 20


def test_pixels_beyond_the_field_are_zero(renderer):
    geometry = Geometry((40, 31), 2.5, (22.0, 11.0))
    image = renderer.render(thickness_nm=6.0, convergence_mrad=11.0, geometry=geometry, mistilt_mrad=(1.2, -0.6))
    kx, ky = geometry.angles_mrad()
    outside = np.hypot(kx + 1.2, ky - 0.6) > renderer.field_mrad
    assert 0 < outside.mean() < 0.9
    assert not image[outside].any() and (image[~outside] > 0).mean() > 0.95


def test_rotation_and_mirror_are_coordinates(renderer):
    """Turning the image by 90 deg permutes its pixels; the tilt turns with the crystal."""
    base = Geometry.field_of_view(40, FIELD)
    options = {"thickness_nm": 8.3, "convergence_mrad": 12.0, "mistilt_mrad": (2.0, 0.7)}
    straight = renderer.render(geometry=base, **options)
    turned = renderer.render(
        geometry=Geometry(base.shape, base.pixel_mrad, base.center_px, rotation_deg=90.0), **options
    )
    # +x of the crystal appears at azimuth 90 deg, which is down: row = old column, column = -old row.
    np.testing.assert_allclose(turned, np.rot90(straight, k=-1), atol=1e-9)
    mirrored = renderer.render(geometry=Geometry(base.shape, base.pixel_mrad, base.center_px, mirrored=True), **options)
    np.testing.assert_allclose(mirrored, straight[::-1], atol=1e-9)
    assert np.abs(turned - straight).max() > 0.05 * straight.max()


@pytest.mark.parametrize(
    ("moved", "tilt"),
    [
        (lambda image: image[:, ::-1], (-2.0, 0.7)),
        (lambda image: image[::-1], (2.0, -0.7)),
        (lambda image: image.T, (0.7, 2.0)),
        (lambda image: np.rot90(image, 2), (-2.0, -0.7)),
    ],
    ids=["mirror x", "mirror y", "diagonal", "half turn"],
)
def test_symmetry_of_the_pattern(renderer, moved, tilt):
    """4mm: tilts related by an operation give related patterns."""
    options = {"thickness_nm": 9.0, "convergence_mrad": 12.0, "geometry": Geometry.field_of_view(40, FIELD)}
    one = renderer.render(mistilt_mrad=(2.0, 0.7), **options)
    other = renderer.render(mistilt_mrad=tilt, **options)
    np.testing.assert_allclose(other, moved(one), atol=1e-7)


def test_a_wide_edge_is_the_mean_over_angles(renderer):
    """A ramp across the aperture's edge is the mean of hard apertures, each weighted with its area."""
    options = {"thickness_nm": 5.0, "geometry": Geometry.field_of_view(24, FIELD), "mistilt_mrad": (0.5, 1.0)}
    alpha, edge = 10.0, 2.0
    angles = alpha + edge * ((np.arange(200) + 0.5) / 200 - 0.5)
    hard = [renderer.render(convergence_mrad=angle, edge_mrad=0.0, **options) * angle**2 / alpha**2 for angle in angles]
    soft = renderer.render(convergence_mrad=alpha, edge_mrad=edge, **options)
    np.testing.assert_allclose(soft, np.mean(hard, axis=0), atol=4e-3 * soft.max())  # of 200 angles


def test_threads_share_a_renderer(renderer):
    """Patterns of many thicknesses rendered at once are those rendered one by one."""
    options = {"convergence_mrad": 11.0, "geometry": Geometry.field_of_view(30, FIELD)}
    thicknesses = np.linspace(0.5, 9.5, 24)

    def one(thickness):
        return renderer.render(thickness_nm=thickness, **options)

    alone = [one(thickness) for thickness in thicknesses]
    with ThreadPoolExecutor(4) as pool:
        for image, expected in zip(pool.map(one, thicknesses), alone, strict=True):
            np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"thickness_nm": 40.0}, "thickness_nm"),
        ({"thickness_nm": -1.0}, "thickness_nm"),
        ({"thickness_nm": float("nan")}, "thickness_nm"),
        ({"mistilt_mrad": (9.0, 3.0)}, "mistilt_mrad"),
        ({"mistilt_mrad": (float("nan"), 0.0)}, "mistilt_mrad"),
        ({"convergence_mrad": 0.0}, "convergence_mrad"),
        ({"blur_mrad": -1.0}, "blur_mrad"),
        ({"edge_mrad": -1.0}, "edge_mrad"),
    ],
)
def test_values_outside_the_table(renderer, change, argument):
    options = {"thickness_nm": 5.0, "convergence_mrad": 12.0, "geometry": Geometry.field_of_view(8, FIELD), **change}
    with pytest.raises(ParameterError, match=argument):
        renderer.render(**options)


def test_the_limits_themselves_can_be_rendered(renderer):
    """Largest thickness and largest mistilt at a convergence angle; a little more cannot."""
    geometry, alpha = Geometry.field_of_view(12, FIELD), 12.0
    limit = renderer.mistilt_max_mrad(alpha, geometry.pixel_mrad)
    options = {"thickness_nm": renderer.table.thickness_max_nm, "convergence_mrad": alpha, "geometry": geometry}
    assert np.isfinite(renderer.render(mistilt_mrad=(limit, 0.0), **options)).all()
    with pytest.raises(ParameterError, match="mistilt_mrad"):
        renderer.render(mistilt_mrad=(limit + 0.01, 0.0), **options)
