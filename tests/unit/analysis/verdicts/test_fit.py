from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pacbed.analysis.fit.covariance import Covariance
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import Fit, Refinement
from pacbed.analysis.fit.tried import TriedEffect
from pacbed.analysis.options import Conditions
from pacbed.analysis.verdicts.findings import Findings
from pacbed.analysis.verdicts.fit import judge_fit, shortest_reciprocal_mrad
from pacbed.bundle.meta import Ranges, Thresholds

META = SimpleNamespace(
    thresholds=Thresholds(),
    energy_kev=200.0,
    trained=Ranges(thickness_nm=(1, 100), convergence_mrad=(13, 15), mistilt_mrad=(0, 5)),
)
AT = PatternParameters(50.0, (1.0, 1.0), (10.0, 20.0), 0.2, 10.0, 14.0, 0.3)
TABLE = SimpleNamespace(reciprocal_mrad=np.diag([6.4, 6.4]))


def fitted(at=AT, misfit=0.05, noise=0.02, others=(), conditions=None, table=TABLE):
    best = Fit(at, misfit)
    found = Refinement(best, tuple(Fit(*other) for other in others), best, None, Covariance(np.eye(11), 1.0), noise)
    findings = Findings()
    judge_fit(findings, found, META, conditions or Conditions(14.0), table)
    return findings


def with_effect(shift, *, adopted=True, unit="", widths=1.5, std=0.4):
    effect = TriedEffect("tilt_spread", unit, 1.5, 0.2, widths, 0.12, adopted, shift, std)
    best, findings = Fit(AT, 0.05), Findings()
    found = Refinement(best, (), best, None, Covariance(np.eye(11), 1.0), 0.02, (effect,))
    judge_fit(findings, found, META, Conditions(14.0), TABLE)
    return findings


def test_an_effect_in_the_answer_is_named_and_doubtful_if_it_moves_the_thickness_far():
    """Far is more than 3 % of 50 nm."""
    little, much = with_effect(-0.8, unit="mrad"), with_effect(1.6)
    assert (little.verdict, much.verdict) == ("ok", "doubtful")
    assert "asks for tilt spread (1.50 ± 0.20 mrad): held-out sectors fit 12 % better" in little.reasons[0]
    assert "moves the thickness by -0.80 ± 0.40 nm" in little.reasons[0]
    assert with_effect(5.0, adopted=False).reasons == []
    assert with_effect(0.0, std=1.6).verdict == "doubtful", "one that leaves the thickness open"
    assert with_effect(0.0, widths=3.0).verdict == "doubtful", "a large one, wherever the thickness stays"


def test_a_good_fit_is_ok_and_silent():
    assert (fitted().verdict, fitted().reasons) == ("ok", [])


@pytest.mark.parametrize(
    ("findings", "verdict", "text"),
    [
        (fitted(misfit=0.2), "doubtful", "misfit 0.20"),
        (fitted(misfit=0.4), "refused", "no rendered pattern fits"),
        (fitted(misfit=0.96, noise=0.96), "refused", "noise hides"),
        (fitted(others=[(replace(AT, thickness_nm=70.0), 0.055)]), "doubtful", "70.0 nm fits nearly as well"),
        (fitted(replace(AT, thickness_nm=100.5)), "doubtful", "1 to 100 nm"),
        (fitted(replace(AT, mistilt_mrad=(5.0, 2.0))), "doubtful", "beyond the bundle's range, 5 mrad"),
        (fitted(replace(AT, thickness_nm=2.0)), "doubtful", "flat disk"),
        (fitted(replace(AT, convergence_mrad=14.6)), "doubtful", "given 14.00 mrad, the pattern fits 14.60"),
        (
            fitted(conditions=Conditions(14.0, pixel_mrad=0.25)),
            "doubtful",
            "given 0.25 mrad, the pattern fits 0.2 mrad",
        ),
    ],
)
def test_every_doubt_has_a_reason_with_its_figure(findings, verdict, text):
    assert findings.verdict == verdict
    assert len(findings.reasons) == 1
    assert text in findings.reasons[0]


def test_noise_alone_is_no_misfit():
    assert fitted(misfit=0.6, noise=0.595).verdict == "ok"


def test_a_neighbour_or_a_worse_basin_is_no_rival():
    near, worse = (replace(AT, thickness_nm=52.0), 0.051), (replace(AT, thickness_nm=70.0), 0.1)
    assert fitted(others=[near, worse]).verdict == "ok"


def test_disks_that_do_not_overlap_are_noted():
    findings = fitted(table=SimpleNamespace(reciprocal_mrad=np.diag([40.0, 40.0])))
    assert findings.verdict == "ok"
    assert "do not overlap" in findings.reasons[0]


def test_the_worst_counts_and_comes_first():
    findings = fitted(replace(AT, thickness_nm=2.0), misfit=0.4)
    assert findings.verdict == "refused"
    assert "no rendered pattern fits" in findings.reasons[0]
    assert len(findings.reasons) == 2


def test_shortest_vector_of_an_oblique_lattice():
    assert shortest_reciprocal_mrad(
        SimpleNamespace(reciprocal_mrad=np.array([[10.0, 0], [9.0, 3.0]]))
    ) == pytest.approx(np.hypot(1, 3))


def test_findings_without_reasons_are_ok():
    assert (Findings().verdict, Findings().reasons) == ("ok", [])


@pytest.mark.parametrize(
    ("excess", "verdict"), [(0.119, "ok"), (0.121, "doubtful"), (0.249, "doubtful"), (0.251, "refused")]
)
def test_the_misfit_beyond_noise_decides(excess, verdict):
    """Noise and model add as squares: the thresholds are those of the bundle."""
    assert fitted(misfit=float(np.hypot(excess, 0.3)), noise=0.3).verdict == verdict


def test_several_rivals_are_several_reasons():
    others = [(replace(AT, thickness_nm=value), 0.052) for value in (30.0, 70.0)]
    reasons = fitted(others=others).reasons
    assert len(reasons) == 2
    assert "30.0 nm" in reasons[0] and "70.0 nm" in reasons[1]
