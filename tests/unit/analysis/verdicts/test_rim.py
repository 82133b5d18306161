"""Sharpened pictures: what a filter does along the disk's rim, and what a camera does not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.verdicts.findings import Findings
from pacbed.analysis.verdicts.rim import MOST_OVERSHOOT, judge_rim, rim_overshoot
from pacbed.outline import find_outline
from pacbed.patterns import polar_to_vector

MISTILT = tuple(float(value) for value in polar_to_vector(2.0, 70.0))
TRUTH = PatternParameters(8.0, MISTILT, (70.3, 84.6), 0.4, 25.0, 14.0, 0.4)  # of what `camera` records by default


def sharpened(counts, radius_px=3.0, amount=1.0):
    """An unsharp mask."""
    return counts + amount * (counts - ndimage.gaussian_filter(counts, radius_px))


def with_tail(counts):
    """A scintillator that spreads a fifth of the electrons."""
    return 0.8 * counts + 0.2 * ndimage.gaussian_filter(counts, 6.0)


def of_true_parameters(bundle, counts, at=TRUTH):
    """A model of the picture that knows its parameters."""
    return SimpleNamespace(
        model=ForwardModel(bundle.renderer, Cutout.around(counts, find_outline(counts), pixels=130)),
        best=SimpleNamespace(parameters=at),
    )


def judged(bundle, counts):
    findings = Findings()
    judge_rim(findings, of_true_parameters(bundle, counts))
    return findings


@pytest.mark.parametrize("radius_px", [2.0, 3.0, 4.0])
def test_a_sharpened_picture_is_doubtful(tiny_bundle, camera, radius_px):
    findings = judged(tiny_bundle, sharpened(camera(), radius_px))
    assert findings.verdict == "doubtful"
    assert "overshoots its fit along the disk's rim" in findings.reasons[0]


@pytest.mark.parametrize("change", [lambda counts: counts, with_tail, lambda counts: counts**0.8])
@pytest.mark.parametrize("electrons", [2e7, 3e4])
def test_what_a_camera_does_is_no_sharpening(tiny_bundle, camera, change, electrons):
    assert judged(tiny_bundle, change(camera(electrons=electrons).clip(1))).reasons == []


@pytest.mark.parametrize("wrong", [{"pixel_mrad": 0.404}, {"pixel_mrad": 0.396}, {"center_px": (70.8, 84.6)}])
def test_a_rim_in_another_place_is_no_sharpening(tiny_bundle, camera, wrong):
    at = PatternParameters(**{**TRUTH.__dict__, **wrong})
    fit = of_true_parameters(tiny_bundle, camera(), at)
    assert rim_overshoot(fit.model, at) < MOST_OVERSHOOT


def test_the_overshoot_grows_with_the_filter(tiny_bundle, camera):
    sizes = []
    for amount in (0.5, 1.0, 2.0):
        fit = of_true_parameters(tiny_bundle, sharpened(camera(), amount=amount))
        sizes.append(rim_overshoot(fit.model, TRUTH))
    assert sizes == sorted(sizes)
    assert sizes[0] > 0


def test_noise_alone_makes_no_rim(tiny_bundle, camera):
    """Of 40 pictures of 3,000 electrons one at most is called sharpened."""
    fits = [of_true_parameters(tiny_bundle, camera(electrons=3e3, seed=seed)) for seed in range(40)]
    assert np.mean([rim_overshoot(fit.model, TRUTH) > MOST_OVERSHOOT for fit in fits]) <= 0.025


def test_a_prediction_says_so(tiny_bundle, camera):
    result = analyse(tiny_bundle, sharpened(camera()), PredictOptions(convergence_mrad=14.0)).result
    assert result.verdict != "ok"
    assert any("sharpened" in reason for reason in result.reasons)
