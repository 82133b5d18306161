"""Tables below one another: each thickness comes from the level that holds it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pacbed.patterns import Geometry
from pacbed.simulation.rendering.levels import LevelPatterns
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.rendering.view import View

VIEW = View(Geometry.field_of_view(6, 20.0), np.array([1.0, 0.5]), 0.0, 0.3)


@dataclass
class Level:
    """Draws its own number, thickness and angle."""

    number: int

    def pattern(self, thickness_nm, convergence_mrad, view):
        return np.full(view.geometry.shape, 1000 * self.number + 10 * thickness_nm + convergence_mrad, dtype=np.float32)

    def series(self, thicknesses_nm, convergences_mrad, view):
        for convergence in convergences_mrad:
            yield np.stack([self.pattern(thickness, convergence, view) for thickness in thicknesses_nm])


@pytest.fixture
def levels():
    return LevelPatterns([Level(1), Level(2), Level(3)], [4.0, 7.0])


@pytest.mark.parametrize(("thickness", "level"), [(0.0, 1), (4.0, 1), (4.001, 2), (7.0, 2), (7.1, 3), (90.0, 3)])
def test_the_level_of_a_pattern(levels, thickness, level):
    image = levels.pattern(thickness, 5.0, VIEW)
    np.testing.assert_allclose(image, 1000 * level + 10 * thickness + 5)


def test_a_series_is_put_together_in_the_order_asked_for(levels):
    thicknesses = np.array([9.0, 1.0, 5.0, 3.0, 8.0])
    first, second = levels.series(thicknesses, [2.0, 3.0], VIEW)
    np.testing.assert_allclose(first[:, 0, 0], [3092.0, 1012.0, 2052.0, 1032.0, 3082.0])
    np.testing.assert_allclose(second, first + 1)


def test_a_series_within_one_level(levels):
    (series,) = levels.series(np.array([1.0, 2.0]), [0.0], VIEW)
    np.testing.assert_allclose(series[:, 1, 2], [1010.0, 1020.0])


def test_upper_levels_may_be_coarser(tiny_table):
    """A level cut from a table gives the table's patterns down to its end; below, the whole table does."""
    planes = 6
    end_nm = (planes - 3) * tiny_table.plane_spacing_nm  # one coefficient before the surface, two beyond the end
    upper = replace(tiny_table, codes=tiny_table.codes[:planes], thickness_max_nm=end_nm)
    renderer, whole = Renderer.of_levels([upper, tiny_table]), Renderer(tiny_table)
    assert renderer.table is tiny_table
    options = {"convergence_mrad": 9.0, "geometry": Geometry.field_of_view(16, 20.0), "mistilt_mrad": (1.0, 0.0)}
    for thickness in (0.5, end_nm, end_nm + 0.1, 9.0):
        one = renderer.render(thickness_nm=thickness, **options)
        np.testing.assert_array_equal(one, whole.render(thickness_nm=thickness, **options))
    thicknesses = np.linspace(0.5, 9.5, 11)
    series = renderer.render_series(thicknesses, **options)
    np.testing.assert_allclose(series, whole.render_series(thicknesses, **options), atol=3e-4 * series.max())
