"""Tables on other directions render what the old ones render."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.bundle.between_nodes import AngleLimits, project
from pacbed.bundle.resample import ThicknessRange, cropped, kept_coefficients, resample_table
from pacbed.patterns import Geometry, relative_l2
from pacbed.simulation.rendering.renderer import Renderer

VIEW = Geometry.field_of_view(60, 14.0)
SETTINGS = {"thickness_nm": 5.3, "convergence_mrad": 11.0, "mistilt_mrad": (1.7, 0.6), "geometry": VIEW}


def rendered(table, **changes):
    return Renderer(table).render(**{**SETTINGS, **changes})


def test_new_nodes_inside_the_old_ones_keep_the_pattern(tiny_table):
    """Twice the steps: every value of the old spline is carried over, so nothing may change."""
    finer = resample_table(
        tiny_table, steps=(22, 22), thickness_range=ThicknessRange(3.0, 7.0), limits=AngleLimits(17.0, 30.0)
    )
    assert finer.steps == (22, 22)
    assert relative_l2(rendered(finer, edge_mrad=0.6), rendered(tiny_table, edge_mrad=0.6)) < 2e-4


def test_fewer_nodes_lose_little_in_a_thin_crystal_and_more_in_a_thick_one(tiny_table):
    """Rocking fringes widen as a crystal thins; the mistilt reaches nearly the border of the cone."""
    coarser = resample_table(
        tiny_table, steps=(2, 2), thickness_range=ThicknessRange(0.0, 10.0), limits=AngleLimits(19.0, 34.0)
    )
    settings = {"convergence_mrad": 13.0, "mistilt_mrad": (3.5, -4.0), "edge_mrad": 0.6}
    losses = [
        relative_l2(*(rendered(table, thickness_nm=thickness, **settings) for table in (coarser, tiny_table)))
        for thickness in (1.0, 4.0, 7.0, 9.5)
    ]
    assert losses == sorted(losses)
    assert losses[0] < 1e-4
    assert losses[-1] > 5 * losses[0]


@pytest.mark.parametrize("ends", [(0.0, 3.0), (3.0, 7.0), (8.4, 10.5)])
def test_the_same_nodes_keep_every_bit_over_the_whole_range_of_thickness(tiny_table, ends):
    level = resample_table(
        tiny_table, steps=tiny_table.steps, thickness_range=ThicknessRange(*ends), limits=AngleLimits(20.0, 35.0)
    )
    assert len(level.codes) < len(tiny_table.codes)
    assert level.thickness_max_nm == ends[1]
    for thickness in ends:
        found = rendered(level, thickness_nm=thickness)
        np.testing.assert_array_equal(found, rendered(tiny_table, thickness_nm=thickness))


def test_kept_coefficients_are_those_of_the_planes_around(tiny_table):
    """A cubic spline combines four coefficients: from one before the plane below to two after it."""
    spacing, first = tiny_table.plane_spacing_nm, tiny_table.first_plane
    kept = kept_coefficients(tiny_table, ThicknessRange(3.2 * spacing, 5.7 * spacing))
    assert (kept.start, kept.stop) == (3 - 1 - first, 5 + 3 - first)
    assert kept_coefficients(tiny_table, ThicknessRange(0.0, 99.0)).stop == len(tiny_table.codes)


def test_cropping_changes_no_pattern_inside(tiny_table):
    small = cropped(tiny_table, AngleLimits(15.0, 25.0))
    assert small.codes.shape[1] < 0.6 * tiny_table.codes.shape[1]
    np.testing.assert_allclose(rendered(small), rendered(tiny_table), rtol=1e-5)


def test_cropping_to_what_there_is_keeps_every_coefficient(tiny_table):
    same = cropped(tiny_table, AngleLimits(tiny_table.cone_mrad, tiny_table.field_mrad))
    np.testing.assert_array_equal(same.codes, tiny_table.codes)
    np.testing.assert_array_equal(same.rows, tiny_table.rows)


def test_cropped_coefficients_are_those_of_the_same_beams_and_nodes(tiny_table):
    def by_pair(table):
        """Coefficients by beam and node, read from the runs one by one."""
        found, column = {}, 0
        for beam, m1, first, count in table.rows:
            for m2 in range(first, first + count):
                found[int(beam), int(m1), int(m2)] = table.codes[:, column]
                column += 1
        assert column == table.codes.shape[1]
        return found

    whole, small = by_pair(tiny_table), by_pair(cropped(tiny_table, AngleLimits(9.0, 12.0)))
    assert 0 < len(small) < len(whole)
    for pair, coefficients in small.items():
        np.testing.assert_array_equal(coefficients, whole[pair])


def test_projection_lands_in_both_disks():
    rng = np.random.default_rng(0)
    q, angle = rng.uniform(-30, 30, (200, 2)), rng.uniform(-30, 30, (200, 2))
    inside, found = project(q, angle, AngleLimits(10.0, 15.0))
    assert 20 < found.sum() < 200
    assert np.all(np.linalg.norm(inside[found], axis=1) <= 10.0)
    assert np.all(np.linalg.norm((inside + angle)[found], axis=1) <= 15.0)
    assert np.all(np.linalg.norm(angle[~found], axis=1) > 24.0)  # the disks hardly touch
    kept = (np.linalg.norm(q, axis=1) < 10) & (np.linalg.norm(q + angle, axis=1) < 15)
    np.testing.assert_array_equal(inside[kept], q[kept])


def test_projection_finds_the_nearest_direction_of_one_disk():
    """Where the beam goes straight on both disks share their centre, and the smaller one decides."""
    q = np.array([[3.0, 4.0], [30.0, 40.0]])
    inside, found = project(q, np.zeros((2, 2)), AngleLimits(10.0, 20.0))
    assert found.all()
    np.testing.assert_allclose(inside, [[3.0, 4.0], [6.0, 8.0]], atol=2e-3)
