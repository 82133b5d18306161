from dataclasses import replace

import pytest

from pacbed.analysis.attempts.judging import judge_asked, judge_orientation, judge_polarity
from pacbed.analysis.fit.refinement import Fit
from pacbed.analysis.result import Alternative
from pacbed.analysis.verdicts.findings import Findings
from pacbed.bundle.meta import Thresholds

LIMITS = Thresholds()


def other(thickness_nm, *, ratio, decided):
    return Alternative(
        thickness_nm=thickness_nm, rotation_deg=200.0, mirrored=False, misfit_ratio=ratio, decided=decided
    )


@pytest.mark.parametrize(
    ("polarity", "verdict", "said"),
    [
        (None, "ok", ""),
        (other(30.2, ratio=1.4, decided=True), "ok", ""),
        (other(30.2, ratio=1.01, decided=False), "ok", "orientation undecided: turned by 180°"),
        (other(36.0, ratio=1.01, decided=False), "doubtful", "ambiguous: turned by 180°, 36.0 nm"),
        (other(36.0, ratio=1.10, decided=True), "doubtful", "ambiguous: turned by 180°, 36.0 nm"),
        (other(36.0, ratio=1.40, decided=True), "ok", ""),
    ],
)
def test_an_orientation_matters_only_where_it_changes_the_thickness(polarity, verdict, said):
    findings = Findings()
    judge_orientation(findings, LIMITS, 30.0, polarity=polarity, hand=None)
    assert findings.verdict == verdict
    assert "; ".join(findings.reasons).startswith(said) and bool(findings.reasons) == bool(said)


@pytest.mark.parametrize(("share", "verdict"), [(None, "ok"), (0.9, "ok"), (0.1, "doubtful"), (-0.1, "doubtful")])
def test_a_polar_crystal_shows_its_polarity_where_it_can(share, verdict):
    findings = Findings()
    judge_polarity(findings, share)
    assert findings.verdict == verdict


def test_hand_and_polarity_are_told_apart():
    findings, one = Findings(), other(30.1, ratio=1.0, decided=False)
    judge_orientation(findings, LIMITS, 30.0, polarity=one, hand=one)
    assert [reason.split(",")[0] for reason in findings.reasons] == [
        "orientation undecided: turned by 180°",
        "orientation undecided: mirrored",
    ]


@pytest.mark.parametrize(
    ("nm", "ratio", "verdict"), [(0.5, 0.99, "ok"), (-5.0, 0.5, "doubtful"), (-5.0, 1.1, "doubtful"), (-5.0, 1.3, "ok")]
)
def test_a_start_of_the_users_is_doubtful_where_another_thickness_fits_as_well(analysis, nm, ratio, verdict):
    asked = analysis.refinement
    at = asked.best.parameters
    free = replace(asked, best=Fit(replace(at, thickness_nm=at.thickness_nm + nm), ratio * asked.best.misfit))
    findings = Findings()
    judge_asked(findings, LIMITS, asked, free, (12.0,))
    assert findings.verdict == verdict
    assert findings.reasons[0].startswith("refined from 12 nm")
