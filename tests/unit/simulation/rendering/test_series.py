"""Thickness series against single patterns, the naive sum and single points."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.patterns import Geometry
from pacbed.simulation.multislice.aperture import LatticeGeometry
from pacbed.simulation.rendering.renderer import FEW_THICKNESSES

FIELD = 22.0


def close_to_single_patterns(renderer, series, thicknesses, **options):
    """What components along thickness leave out is less than 3e-4 of the maximum."""
    for image, thickness in zip(series, thicknesses, strict=True):
        single = renderer.render(thickness_nm=thickness, **options)
        np.testing.assert_allclose(image, single, atol=3e-4 * single.max())


@pytest.mark.parametrize("edge", [0.0, 1.3])
def test_naive_sum(renderer, naive, edge):
    alpha, tilt, thicknesses = 11.0, np.array([1.3, -0.6]), np.linspace(1, 9, FEW_THICKNESSES)
    for k in np.random.default_rng(5).uniform(-15, 15, (12, 2)):
        geometry = Geometry((1, 1), 0.1, (-k[0] / 0.1, -k[1] / 0.1))
        options = {"convergence_mrad": alpha, "geometry": geometry, "mistilt_mrad": tilt, "edge_mrad": edge}
        series = renderer.render_series(thicknesses, **options)
        for step in (0, 5):
            expected = naive(k, thickness_nm=thicknesses[step], alpha=alpha, tilt=tilt, edge=edge, pixel_mrad=0.1)
            assert series[step, 0, 0] == pytest.approx(expected, rel=5e-4, abs=1e-9)


@pytest.mark.parametrize("few", [True, False])
def test_series_equals_single_patterns(renderer, few):
    """A few are rendered one by one, many from the components along thickness; in any order."""
    geometry = Geometry.field_of_view(24, FIELD)
    options = {"convergence_mrad": 12.5, "geometry": geometry, "mistilt_mrad": (1.0, -1.0), "blur_mrad": 0.5}
    thicknesses = [2.0, 7.7, 3.1] if few else np.roll(np.linspace(0.5, 9.7, 12), 5)
    series = renderer.render_series(thicknesses, **options)
    close_to_single_patterns(renderer, series, thicknesses, **options)
    assert np.abs(series[0] - series[1]).max() > 1e-6


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 10, 11, 12, 13])
def test_series_of_any_length(renderer, count):
    """Thicknesses are mixed four by four, the last ones being fewer."""
    options = {"convergence_mrad": 9.0, "geometry": Geometry((5, 6), 3.0, (2.2, 1.9)), "mistilt_mrad": (0.3, 0.4)}
    thicknesses = np.linspace(1.0, 9.0, count)
    series = renderer.render_series(thicknesses, **options)
    assert series.shape == (count, 5, 6) and series.dtype == np.float32
    close_to_single_patterns(renderer, series, thicknesses, **options)


@pytest.mark.parametrize(("rotation_deg", "mirrored"), [(0.0, True), (90.0, False), (180.0, False), (25.0, False)])
def test_series_of_turned_images(renderer, rotation_deg, mirrored):
    """Rows of pixels may run along either axis of the nodes, or along none."""
    geometry = Geometry((26, 31), 2 * FIELD / 30, (14.2, 13.1), rotation_deg=rotation_deg, mirrored=mirrored)
    options = {"convergence_mrad": 11.0, "geometry": geometry, "mistilt_mrad": (1.3, -0.4)}
    thicknesses = np.linspace(0.5, 9.7, 8)
    close_to_single_patterns(renderer, renderer.render_series(thicknesses, **options), thicknesses, **options)


@pytest.mark.parametrize(
    ("geometry", "edge_mrad"),
    [
        (Geometry((40, 31), 2.5, (22.0, 11.0)), None),  # corners and whole rows beyond the field
        (Geometry((12, 1), 3.0, (0.0, 5.5)), None),
        (Geometry((24, 24), 2.4, (11.5, 11.5), rotation_deg=41.0), 6.0),
        (LatticeGeometry((30, 30), 1.0, (14.0, 13.0), pitch_mrad=np.array([[1.9, 0.0], [0.95, 1.645]])), 1.8),
    ],
    ids=["field", "column", "wide edge", "oblique"],
)
def test_pixels_of_a_series_are_those_of_single_points(renderer, geometry, edge_mrad):
    options = {"convergence_mrad": 9.0, "mistilt_mrad": (1.2, -0.6)}
    edge = geometry.pixel_mrad if edge_mrad is None else edge_mrad
    thicknesses = np.linspace(1.0, 9.7, FEW_THICKNESSES)
    series = renderer.render_series(thicknesses, geometry=geometry, edge_mrad=edge, **options)
    kx, ky = geometry.angles_mrad()
    for row, column in np.random.default_rng(3).integers(0, geometry.shape, (60, 2)):
        at = (-kx[row, column] / geometry.pixel_mrad, -ky[row, column] / geometry.pixel_mrad)
        alone = Geometry((1, 1), geometry.pixel_mrad, at)
        for step in (2, 7):
            point = renderer.render(thickness_nm=thicknesses[step], geometry=alone, edge_mrad=edge, **options)
            assert series[step, row, column] == pytest.approx(point[0, 0], abs=3e-4 * float(series[step].max()))
    single = renderer.render(thickness_nm=thicknesses[5], geometry=geometry, edge_mrad=edge, **options)
    np.testing.assert_allclose(series[5], single, atol=3e-4 * single.max())


@pytest.mark.parametrize("thicknesses", [[1.0, 40.0], np.linspace(1, 40, 20), np.linspace(-1, 5, 20)])
def test_thicknesses_outside_the_table(renderer, thicknesses):
    with pytest.raises(ParameterError, match="thickness_nm"):
        renderer.render_series(thicknesses, convergence_mrad=9.0, geometry=Geometry.field_of_view(8, FIELD))


# Nested: one convergence angle after the other


@pytest.mark.parametrize("rotation_deg", [0.0, 90.0, 20.0])
@pytest.mark.parametrize("edge_mrad", [0.0, None, 4.0])
def test_nested_series_equal_each_alone(renderer, rotation_deg, edge_mrad):
    """The sum over beams widens from angle to angle, by less than a node, by many, or not at all."""
    geometry = Geometry((30, 26), 1.1, (14.2, 12.9), rotation_deg=rotation_deg)
    options = {"geometry": geometry, "mistilt_mrad": (0.7, -1.2), "edge_mrad": edge_mrad}
    thicknesses, angles = np.linspace(1.0, 9.0, 9), [6.0, 6.3, 6.35, 7.4, 9.1, 9.1, 9.9]
    for angle, series in zip(angles, renderer.render_nested_series(thicknesses, angles, **options), strict=True):
        assert series.shape == (9, 30, 26) and series.dtype == np.float32
        alone = renderer.render_series(thicknesses, convergence_mrad=angle, **options)
        np.testing.assert_allclose(series, alone, atol=2e-6 * alone.max())
        for step in (0, 4, 8):
            single = renderer.render(thickness_nm=thicknesses[step], convergence_mrad=angle, **options)
            np.testing.assert_allclose(series[step], single, atol=3e-4 * single.max())


def test_a_nested_series_stays_when_the_next_one_comes(renderer):
    options = {"geometry": Geometry.field_of_view(10, FIELD)}
    both = list(renderer.render_nested_series(np.linspace(1.0, 9.0, 9), [6.0, 8.0], **options))
    alone = renderer.render_series(np.linspace(1.0, 9.0, 9), convergence_mrad=6.0, **options)
    np.testing.assert_allclose(both[0], alone, atol=2e-6 * alone.max())
    assert np.abs(both[1] - both[0]).max() > 0.01 * alone.max()


def test_nested_series_are_blurred_as_single_ones(renderer):
    options = {"geometry": Geometry.field_of_view(20, FIELD), "blur_mrad": 1.4}
    thicknesses = np.linspace(1.0, 9.0, 9)
    series = next(renderer.render_nested_series(thicknesses, [7.0, 8.0], **options))
    close_to_single_patterns(renderer, series, thicknesses, convergence_mrad=7.0, **options)


@pytest.mark.parametrize("angles", [[6.3, 6.0], []])
def test_nested_series_refuse_angles_that_do_not_ascend(renderer, angles):
    with pytest.raises(ParameterError, match="convergences_mrad"):
        renderer.render_nested_series(np.linspace(1.0, 9.0, 9), angles, geometry=Geometry.field_of_view(30, FIELD))
