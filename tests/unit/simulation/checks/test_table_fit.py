"""A table fitted to patterns: thickness and mistilt under a gain and a smooth background."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.simulation.checks.table_fit import TableFit
from pacbed.simulation.multislice.aperture import sample_aperture
from pacbed.simulation.rendering.renderer import Renderer


@pytest.fixture(scope="module")
def fit(tiny_table, srtio3_slices):
    tilt = np.array([1.5, 0.6])
    aperture = sample_aperture(
        srtio3_slices, alpha_mrad=13.0, mistilt_mrad=(1.5, 0.6), field_mrad=18.0, directions=100, cells=3
    )
    return TableFit(Renderer(tiny_table), aperture, tilt)


def _pattern(fit, thickness_nm, tilt_mrad, *, gain=1.0, background=0.0):
    """A table's pattern under a Gaussian background, both as fractions of its largest value."""
    pattern = gain * fit.table(thickness_nm, tilt_mrad)
    kx, ky = (fit.aperture.pixels @ fit.aperture.pitch_mrad).T
    return pattern + background * pattern.max() * np.exp(-0.5 * (kx**2 + ky**2) / (0.9 * 13.0) ** 2)


def test_a_fit_finds_thickness_and_tilt_under_gain_and_background(fit) -> None:
    off = fit.mistilt_mrad + np.array([0.25, -0.15])
    pattern = _pattern(fit, 7.4, off, gain=0.7, background=0.3) + 0.05
    assert fit.thickness_nm(pattern, 7.0) == pytest.approx(7.4, abs=0.01)


def test_the_thickness_does_not_depend_on_where_the_fit_starts(fit) -> None:
    pattern = _pattern(fit, 6.0, fit.mistilt_mrad)
    assert fit.thickness_nm(pattern, 5.6) == pytest.approx(fit.thickness_nm(pattern, 6.4), abs=0.01)


def test_the_model_is_the_table_where_there_is_no_background(fit) -> None:
    table = fit.table(8.0, fit.mistilt_mrad)
    np.testing.assert_allclose(fit.model(3.0 * table, 8.0, fit.mistilt_mrad), 3.0 * table, rtol=1e-5)
    lifted = table + 0.2 * table.max()
    np.testing.assert_allclose(fit.model(lifted, 8.0, fit.mistilt_mrad), lifted, rtol=1e-5)


def test_a_deeper_slab_than_the_table_holds_is_not_found(fit) -> None:
    """The fit stays inside the table, mistilt included."""
    deepest = fit.renderer.table.thickness_max_nm
    pattern = _pattern(fit, deepest, fit.mistilt_mrad)
    assert deepest - 0.2 < fit.thickness_nm(pattern, 2 * deepest) < deepest


def test_the_pixels_of_a_comparison_have_the_axes_of_the_renderer(fit) -> None:
    table = fit.table(9.0, fit.mistilt_mrad)
    swapped = fit.table(9.0, fit.mistilt_mrad[::-1])
    assert 0.7 < table.sum() < 1.01
    assert np.linalg.norm(swapped - table) > 0.01 * np.linalg.norm(table)
