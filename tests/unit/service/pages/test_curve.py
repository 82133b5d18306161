"""The drawing of the misfit curve, and what else the thickness could be."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pacbed.analysis.result import Candidate, ThicknessEstimate
from pacbed.service.pages.curve import HEIGHT, LEFT, TOP, draw_curve, rivals_of


def place(thickness_nm, ratio, *, refined=False):
    return SimpleNamespace(thickness_nm=thickness_nm, ratio=ratio, refined=refined)


RATIOS = {2.0: 3.0, 10.0: 2.2, 14.0: 1.4, 18.0: 2.5, 30.0: 1.0, 34.0: 1.9, 60.0: 5.0}
CURVE = (*(place(*one) for one in RATIOS.items()), place(44.0, 1.2, refined=True))
KEPT = SimpleNamespace(curve=CURVE, best=SimpleNamespace(thickness_nm=30.2))
RESULT = SimpleNamespace(
    thickness_nm=ThicknessEstimate(value=30.2, std=0.6, interval_90=(29.2, 31.2)),
    thickness_candidates=[Candidate(value=30.0, probability=0.7), Candidate(value=59.0, probability=0.2)],
    provenance=SimpleNamespace(parameters={"thresholds": {"ambiguous_ratio": 1.15}}),
)


def test_the_least_misfit_is_lowest_and_the_answer_lies_there():
    curve = draw_curve(KEPT, RESULT)
    lowest = max(curve.points, key=lambda one: one.down)
    assert lowest.text == "30.0 nm, misfit 1.00" and abs(curve.answer - lowest.at) < 5
    assert curve.interval[0] < curve.answer < sum(curve.interval)
    assert lowest.down > curve.ambiguous > curve.points[0].down >= TOP
    assert [one.at for one in curve.points] == sorted(one.at for one in curve.points)
    assert [one.number for one in curve.rivals] == [len(RATIOS)]


def test_ticks_are_round_and_inside():
    curve = draw_curve(KEPT, RESULT)
    assert [one.text for one in curve.x_ticks] == ["10", "20", "30", "40", "50", "60"]
    assert [one.text for one in curve.y_ticks] == ["1", "1.5", "2", "3", "5"]
    assert all(LEFT <= one.at <= curve.right for one in curve.x_ticks)
    assert all(TOP <= one.down <= HEIGHT for one in curve.y_ticks)


def test_without_a_thickness_there_is_no_line():
    curve = draw_curve(KEPT, SimpleNamespace(**{**vars(RESULT), "thickness_nm": None}))
    assert curve.answer is None and curve.interval is None and curve.path.count("L") == len(RATIOS) - 1


def test_rivals_are_fits_valleys_and_peaks_away_from_the_answer():
    found = rivals_of(KEPT, RESULT)
    assert [(one.thickness_nm, one.ratio) for one in found] == [(44.0, 1.2), (14.0, 1.4), (60.0, 5.0)]
    assert [one.source.split()[-1] for one in found] == ["here", "curve", "%"]
    assert [CURVE[one.number].thickness_nm for one in found] == [44.0, 14.0, 60.0]


@pytest.mark.parametrize("ratio", [2.6, 1.41])
def test_a_valley_that_is_no_match_is_no_rival(ratio):
    curve = tuple(place(one.thickness_nm, ratio) if one.thickness_nm == 14.0 else one for one in CURVE)
    found = rivals_of(SimpleNamespace(curve=curve, best=KEPT.best), RESULT)
    assert (14.0 in [one.thickness_nm for one in found]) == (ratio < 2)
