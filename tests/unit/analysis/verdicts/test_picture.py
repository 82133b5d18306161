import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pacbed.analysis.options import Conditions
from pacbed.analysis.picture.examine import Picture
from pacbed.analysis.result import ThicknessEstimate
from pacbed.analysis.verdicts.findings import Findings
from pacbed.analysis.verdicts.picture import judge_input, judge_precision, largest_patch
from pacbed.bundle.meta import Ranges, Thresholds
from pacbed.outline import Outline

META = SimpleNamespace(
    thresholds=Thresholds(),
    energy_kev=200.0,
    trained=Ranges(thickness_nm=(1, 100), convergence_mrad=(13, 15), mistilt_mrad=(0, 5)),
)
OUTLINE = Outline((50.0, 50.0), 60.0, 4.0, 1.0)
CLEAN = Picture(np.zeros((2, 2)), np.ones((2, 2), dtype=bool), OUTLINE, {}, 0.0, 0.0)
RADII = np.array([13.6, 14.2, 16.0])


def entered(conditions=None, outline=OUTLINE, **picture):
    findings = Findings()
    judge_input(findings, META, conditions or Conditions(14.0), replace(CLEAN, outline=outline, **picture), RADII)
    return findings


def precise(value=30.0, std=0.5, pixels=8000, patch=0.0):
    mask = np.arange(10_000).reshape(100, 100) < pixels
    thickness = ThicknessEstimate(value=value, std=std)
    residual = np.zeros((100, 100))
    residual[40:50, 60:70] = patch
    cutout = SimpleNamespace(mask=mask, factor=2, origin_px=(10, 20))
    model = SimpleNamespace(cutout=cutout, residual=lambda at: residual[mask])
    refinement = SimpleNamespace(model=model, best=SimpleNamespace(parameters=None))
    findings = Findings()
    judge_precision(findings, Thresholds(), thickness, refinement)
    return findings


@pytest.mark.parametrize(
    "findings", [entered(), entered(Conditions(14.0, pixel_mrad=0.24)), precise(), precise(2.0, 0.2)]
)
def test_a_good_picture_is_ok_and_silent(findings):
    assert (findings.verdict, findings.reasons) == ("ok", [])


@pytest.mark.parametrize(
    ("findings", "verdict", "text"),
    [
        (entered(Conditions(14.0, energy_kev=300.0)), "refused", "300 kV"),
        (entered(Conditions(16.0)), "doubtful", "outside the trained range, 13 to 15"),
        (entered(outline=replace(OUTLINE, inside=0.8)), "doubtful", "20 % of the bright disk"),
        (entered(outline=replace(OUTLINE, radius_px=4.2)), "doubtful", "radius of 4.2 pixels, too few"),
        (entered(Conditions(14.0, pixel_mrad=0.1)), "doubtful", "radius of 6.0 mrad by the pixel size given"),
        (entered(Conditions(14.0, pixel_mrad=0.4)), "doubtful", "24.0 mrad by the pixel size given"),
        (entered(saturated_share=0.31), "doubtful", "saturated: 31.0 % of the disk"),
        (entered(saturated_share=0.2), "ok", "saturated: 20.0 % of the disk"),
        (entered(unused_share=0.6), "doubtful", "60 % of its pixels do not count"),
        (
            entered(counts={"missing": 9, "defective lines": 128}),
            "ok",
            "pixels left out: missing 9, defective lines 128",
        ),
        (entered(counts={"masked": 3}), "ok", "pixels left out: masked 3"),
        (precise(std=5.0), "doubtful", "known to 5.0 nm only, of 30.0 nm"),
        (precise(pixels=100), "doubtful", "rests on 100 pixels"),
        (precise(patch=-0.6), "doubtful", "does not fit, by"),
    ],
)
def test_every_finding_has_a_reason_with_its_figure(findings, verdict, text):
    assert findings.verdict == verdict
    assert len(findings.reasons) == 1
    assert text in findings.reasons[0]


def test_a_few_defects_are_not_worth_a_word():
    assert entered(counts={"single pixels": 8}).reasons == []


def test_the_worst_counts_and_comes_first():
    findings = entered(Conditions(16.0, energy_kev=300.0), saturated_share=0.5)
    assert findings.verdict == "refused"
    assert "kV" in findings.reasons[0]
    assert len(findings.reasons) == 3


def test_a_patch_is_found_where_it_is():
    (reason,) = precise(patch=0.6).reasons
    column, row = (int(word) for word in re.findall(r"column (\d+), row (\d+)", reason)[0])
    assert (column, row) == (pytest.approx(10 + 2 * 64.5, abs=3), pytest.approx(20 + 2 * 44.5, abs=3))


def test_noise_makes_no_patch():
    rng = np.random.default_rng(1)
    cutout = SimpleNamespace(mask=np.ones((100, 100), dtype=bool), factor=1, origin_px=(0, 0))
    model = SimpleNamespace(cutout=cutout, residual=lambda at: rng.normal(0, 0.3, 10_000))
    assert largest_patch(model, None).size < 0.05
