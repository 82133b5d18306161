from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.attempts.orientations import (
    advantage_std,
    alternative,
    hands,
    is_polar,
    refine_polarities,
    spread_nm,
    turned,
)
from pacbed.analysis.fit.refinement import Fit
from pacbed.analysis.result import Alternative


def otherwise(refinement, *, ratio, nm=0.0):
    """The same refinement with another misfit, at another thickness."""
    at = refinement.best.parameters
    at = replace(at, thickness_nm=at.thickness_nm + nm)
    return replace(refinement, best=Fit(at, refinement.best.misfit * ratio))


@pytest.mark.parametrize(("given", "tried"), [(None, (False, True)), (True, (True,)), (False, (False,))])
def test_both_hands_are_tried_unless_given_where_there_is_no_mirror_line(chiral_bundle, given, tried):
    assert hands(chiral_bundle.table, given) == tried


def test_a_crystal_with_a_mirror_line_has_one_hand(polar_bundle, tiny_bundle):
    assert hands(polar_bundle.table, None) == hands(tiny_bundle.table, None) == (False,)
    assert hands(tiny_bundle.table, True) == (True,)


def test_polar_is_what_has_no_twofold_axis_along_the_beam(polar_bundle, chiral_bundle, tiny_bundle):
    assert is_polar(polar_bundle.table) and is_polar(chiral_bundle.table)
    assert not is_polar(tiny_bundle.table)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_crystal_keeps_its_mistilt_in_the_image(analysis, mirrored):
    at = analysis.parameters
    other = turned(at)
    np.testing.assert_allclose(other.mistilt_in_image(mirrored=mirrored), at.mistilt_in_image(mirrored=mirrored))
    assert abs(other.rotation_deg - at.rotation_deg) == pytest.approx(180)
    assert -180 <= other.rotation_deg < 180


def test_a_crystal_that_is_not_polar_is_refined_once(analysis):
    asked = []
    found = refine_polarities(lambda starts: asked.append(starts) or analysis.refinement, ["here"], polar=False)
    assert asked == [["here"]]
    assert found.best is analysis.refinement and found.other is None


@pytest.mark.parametrize("ratio", [0.8, 1.25])
def test_the_better_polarity_comes_first(analysis, ratio):
    first = analysis.refinement
    second = otherwise(first, ratio=ratio)
    answers = iter([first, second])
    found = refine_polarities(lambda _: next(answers), ["here"], polar=True)
    assert found == ((second, first) if ratio < 1 else (first, second))


def test_an_advantage_grows_with_the_independent_pixels(analysis):
    best = analysis.refinement
    pixels = best.model.cutout.mask.sum()
    correlated = replace(best, covariance=replace(best.covariance, correlation_pixels=pixels / 100))
    assert advantage_std(correlated, otherwise(best, ratio=1.1)) == pytest.approx(np.sqrt(100 * (1.1**2 - 1)))
    assert advantage_std(best, best) == 0


def test_an_orientation_is_decided_by_statistics_and_by_more_than_a_hair(analysis, polar_bundle):
    best = analysis.refinement
    decided = [alternative(best, otherwise(best, ratio=ratio), polar_bundle.table).decided for ratio in (1.005, 1.2)]
    assert decided == [False, True]
    few = replace(best, covariance=replace(best.covariance, correlation_pixels=1e4))
    assert not alternative(few, otherwise(best, ratio=1.2), polar_bundle.table).decided


def test_an_undecided_orientation_widens_the_error_bar():
    one = Alternative(thickness_nm=9.0, rotation_deg=0.0, mirrored=False, misfit_ratio=1.0, decided=False)
    assert spread_nm(8.4, [None, one]) == pytest.approx(0.3)
    assert spread_nm(8.4, [one.model_copy(update={"decided": True}), None]) == 0
