"""The diffuse part of a table with frozen phonons is rendered apart, blurred, and added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer

GEOMETRY = Geometry.field_of_view(48, 20.0)
OPTIONS = {"convergence_mrad": 9.0, "geometry": GEOMETRY, "mistilt_mrad": (1.0, 0.3)}


@pytest.fixture(scope="module")
def phonon_table(tiny_table):
    """The tiny table with a diffuse part: its own coefficients, halved."""
    halved = np.rint(tiny_table.codes * 0.5**0.5).astype(np.int16)  # codes are square roots
    return replace(tiny_table, diffuse=halved)


def spread(table):
    """Standard deviation of a cell of reciprocal space along x or y, were it a uniform square."""
    return float(np.sqrt(np.sum(table.reciprocal_mrad**2) / 24))


def test_a_pattern_is_the_elastic_one_and_a_blurred_diffuse_one(tiny_table, phonon_table):
    elastic = Renderer(tiny_table).render(thickness_nm=6.0, **OPTIONS)
    diffuse = 0.5 * gaussian_filter(elastic, spread(tiny_table) / GEOMETRY.pixel_mrad, mode="nearest")
    whole = Renderer(phonon_table).render(thickness_nm=6.0, **OPTIONS)
    np.testing.assert_allclose(whole, elastic + diffuse, atol=1e-3 * elastic.max())
    assert np.abs(whole - elastic).max() > 0.1 * elastic.max()


def test_the_elastic_part_alone(tiny_table, phonon_table):
    expected = Renderer(tiny_table).render(thickness_nm=6.0, **OPTIONS)
    np.testing.assert_array_equal(Renderer(phonon_table.elastic).render(thickness_nm=6.0, **OPTIONS), expected)


@pytest.mark.parametrize("blur_mrad", [0.0, 0.8])
def test_series_have_the_diffuse_part_too(phonon_table, blur_mrad):
    renderer, thicknesses = Renderer(phonon_table), np.linspace(1.0, 9.0, 9)
    series = renderer.render_series(thicknesses, blur_mrad=blur_mrad, **OPTIONS)
    for step in (0, 5, 8):
        single = renderer.render(thickness_nm=thicknesses[step], blur_mrad=blur_mrad, **OPTIONS)
        np.testing.assert_allclose(series[step], single, atol=3e-4 * single.max())
