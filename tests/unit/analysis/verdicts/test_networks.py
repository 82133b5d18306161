import pytest

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import Checked, Fit
from pacbed.analysis.networks import NetworkAnswers
from pacbed.analysis.result import ThicknessEstimate
from pacbed.analysis.verdicts.findings import Findings
from pacbed.analysis.verdicts.networks import judge_agreement, judge_alone, judge_networks
from pacbed.bundle.meta import Thresholds
from pacbed.networks.peaks import Peak


def answered(*peaks, **rest):
    return NetworkAnswers({}, peaks, Peak(1.0, 0.1, 1.0), 0.2, 0.2, (1.0,), **{"scale_converged": True, **rest})


@pytest.mark.parametrize(
    ("value", "std", "probability", "verdict"),
    [
        (22.9, 0.8, 0.9, "ok"),  # 2.9 combined standard deviations
        (23.1, 0.8, 0.9, "doubtful"),
        (16.9, 0.8, 0.9, "doubtful"),
        (60.0, 0.8, 0.5, "ok"),  # undecided networks say nothing
        (60.0, 0.8, 0.51, "doubtful"),
        (23.1, 1.6, 0.9, "ok"),
    ],
)
def test_networks_that_are_sure_of_another_thickness_make_a_fit_doubtful(value, std, probability, verdict):
    findings, fit = Findings(), ThicknessEstimate(value=20.0, std=0.6, std_statistical=0.5, std_model=0.33)
    judge_agreement(findings, answered(Peak(value, std, probability)), fit, Thresholds())
    assert findings.verdict == verdict
    if verdict == "doubtful":
        assert f"{value:.1f} ± {std:.1f} nm against 20.0 ± 0.6 nm" in findings.reasons[0]


@pytest.mark.parametrize(("refined", "verdict"), [(True, "ok"), (False, "doubtful")])
def test_networks_in_trouble_count_when_nothing_else_speaks(refined, verdict):
    peaks = (Peak(20.0, 1.0, 0.4), Peak(60.0, 1.0, 0.3))
    answers = NetworkAnswers({}, peaks, Peak(1.0, 0.1, 1.0), 0.2, 0.2, (1.3,), scale_converged=False)
    findings = Findings()
    judge_networks(findings, answers, refined=refined)
    assert findings.verdict == verdict
    assert "1.30 times" in findings.reasons[0]
    assert "20 nm (40 %), 60 nm (30 %)" in findings.reasons[1]


def test_a_scale_at_the_end_of_its_range_is_doubted():
    """A polar network is asked once, and answers with the width of the bright region."""
    answers = NetworkAnswers(
        {}, (Peak(20.0, 1.0, 0.9),), Peak(1.0, 0.1, 1.0), 0.2, 0.2, (1.69,), scale_converged=False, pixel_std_mrad=0.01
    )
    for refined, verdict in ((True, "ok"), (False, "doubtful")):
        findings = Findings()
        judge_networks(findings, answers, refined=refined)
        assert findings.verdict == verdict
        (reason,) = findings.reasons
        assert reason.startswith("the bright region seems 1.69 times as wide as the convergence angle")


@pytest.mark.parametrize(
    ("misfit", "noise", "found", "verdict", "text"),
    [
        (0.1, 0.05, 20.5, "ok", ""),
        (0.28, 0.275, 20.5, "ok", ""),
        (0.2, 0.05, 20.5, "doubtful", "fits badly: misfit 0.20"),
        (0.4, 0.05, 20.5, "refused", "no rendered pattern fits: misfit 0.40"),
        (0.31, 0.31, 20.5, "doubtful", "noise is 31 % of the picture"),
        (0.1, 0.05, 24.0, "doubtful", "networks say 20.0 nm, the rendered pattern that fits best near it 24.0"),
    ],
)
def test_networks_alone_are_held_against_a_rendered_pattern(misfit, noise, found, verdict, text):
    at = PatternParameters(found, (1.0, 1.0), (10.0, 20.0), 0.2, 10.0, 14.0, 0.3)
    findings = Findings()
    judge_alone(findings, Checked(Fit(at, misfit), noise), answered(Peak(20.0, 0.5, 0.9)), Thresholds())
    assert findings.verdict == verdict
    assert text in " ".join(findings.reasons)


def test_missing_networks_are_a_note():
    findings = Findings()
    judge_networks(findings, None, refined=True)
    assert findings.verdict == "ok"
    assert findings.reasons[0].startswith("no networks in this bundle")
