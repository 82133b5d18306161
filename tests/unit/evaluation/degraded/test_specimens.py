from itertools import pairwise

import numpy as np
import pytest

from pacbed.evaluation.degraded.specimens import (
    DEPTHS,
    MISTILT_MRAD,
    PARTS,
    SINGLE,
    TILT_SPREAD_MRAD,
    TILTS,
    Counts,
    Ranges,
    draw_specimens,
    mean_of,
)
from pacbed.patterns import Geometry

RANGES = Ranges((3.0, 60.0), (13.0, 15.0))


def drawn(seed=1):
    return draw_specimens(RANGES, Counts(20, 6, 6), plane_nm=0.8, rng=np.random.default_rng(seed))


def test_specimens_lie_inside_their_ranges_on_the_planes():
    plans = drawn()
    assert [plan.kind for plan in plans] == [SINGLE] * 20 + [TILTS] * 6 + [DEPTHS] * 6
    for plan in plans:
        assert len(plan.parameters) == (1 if plan.kind == SINGLE else PARTS)
        for at in plan.parameters:
            assert at.thickness_nm / 0.8 == pytest.approx(round(at.thickness_nm / 0.8))
            assert 0 < at.thickness_nm <= RANGES.thickness_nm[1]
            assert 13.0 <= at.convergence_mrad <= 15.0
        assert np.hypot(*mean_of(plan.parameters).mistilt_mrad) <= MISTILT_MRAD


def test_a_spread_is_what_was_drawn():
    """Around the mean, and of a standard deviation within its limits."""
    for plan in drawn():
        tilts = np.array([at.mistilt_mrad for at in plan.parameters])
        depths = np.array([at.thickness_nm for at in plan.parameters])
        if plan.kind == TILTS:
            spread = tilts.std(axis=0)
            assert spread[0] == pytest.approx(spread[1])
            assert TILT_SPREAD_MRAD[0] <= spread[0] <= TILT_SPREAD_MRAD[1]
        else:
            assert np.ptp(tilts, axis=0).max() == 0
        if plan.kind != DEPTHS:
            assert np.ptp(depths) == 0


def test_the_same_seed_draws_the_same():
    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_an_image_is_the_mean_over_the_parts(phonon_specimens):
    geometry = Geometry.field_of_view(24, 15.0)
    spread = phonon_specimens[1]
    whole = spread.image(geometry)
    each = [part.pattern.elastic.image(geometry, spread.blur_mrad) for part in spread.parts]
    np.testing.assert_allclose(whole.elastic, np.mean(each, axis=0))
    assert 0 < whole.diffuse.sum() < whole.elastic.sum() < 1


def test_the_diffuse_part_goes_on_where_no_angles_were_kept(phonon_specimens):
    """Ever fainter, without an edge or an end."""
    geometry = Geometry.field_of_view(120, 90.0)
    diffuse = phonon_specimens[0].image(geometry).diffuse
    angle = np.hypot(*geometry.angles_mrad())
    rings = [diffuse[(angle > low) & (angle <= low + 8)].mean() for low in range(20, 100, 8)]
    assert min(rings) > 0
    assert all(outer < inner for inner, outer in pairwise(rings))


def test_a_rendered_specimen_has_nothing_diffuse(area):
    parts = area.image(Geometry.field_of_view(32, 22.0))
    assert parts.diffuse.max() == 0
    assert 0.3 < parts.elastic.sum() < 1
