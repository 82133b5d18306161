"""Calibration on answers of known quality: intervals cover what they claim, however wide the labels were."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.learning.calibrate import NORMAL_90, calibrate, calibrate_direction, error_curve
from pacbed.learning.feed import AZIMUTH
from pacbed.networks.calibration import Calibration
from pacbed.networks.classes import TaskClasses
from pacbed.networks.peaks import main_peak

THICKNESS = TaskClasses("thickness", np.arange(1.0, 101.0))


def answers(count, *, spread_nm, sharpness=1.0, seed=1):
    """Truths, and distributions about them: wrong by `spread_nm`, as wide as that and the labels together, or not."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(15.0, 85.0, count)
    spread = np.broadcast_to(spread_nm, count)
    center = truth + spread * rng.standard_normal(count)
    logits = -0.5 * (THICKNESS.values - center[:, None]) ** 2 / (1.0 + spread[:, None] ** 2)
    weights = np.exp(sharpness * logits)
    return truth, weights / weights.sum(axis=1, keepdims=True)


def coverage(calibration, truth, probability):
    """Share of truths inside the 90 % interval of the main peak."""
    peaks = [
        calibration.peak(main_peak(row, THICKNESS.values, width=3.0)) for row in calibration.probability(probability)
    ]
    inside = [abs(peak.value - value) <= NORMAL_90 * peak.std for peak, value in zip(peaks, truth, strict=True)]
    return float(np.mean(inside))


@pytest.mark.parametrize("spread_nm", [0.1, 0.4, 1.5])
def test_intervals_cover_nine_of_ten(spread_nm):
    """Answers far better than the label's width, 1 nm, and worse."""
    found = calibrate(answers(3000, spread_nm=spread_nm)[1], THICKNESS, answers(3000, spread_nm=spread_nm)[0])
    assert 0.86 < coverage(found, *answers(3000, spread_nm=spread_nm, seed=2)) < 0.94


def test_good_and_bad_answers_have_intervals_of_their_own():
    """Half of them wrong by 0.2 nm, half by 1.2 nm: each half is covered."""
    spread = np.repeat([0.2, 1.2], 2000)
    truth, probability = answers(4000, spread_nm=spread)
    found = calibrate(probability, THICKNESS, truth)
    again, unseen = answers(4000, spread_nm=spread, seed=2)
    for half in (slice(0, 2000), slice(2000, 4000)):
        assert 0.85 < coverage(found, again[half], unseen[half]) < 0.95
    assert found.std[-1] > 3 * found.std[0]


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_sharpened_the_answers(sharpness):
    truth, probability = answers(2000, spread_nm=0.6, sharpness=sharpness)
    assert calibrate(probability, THICKNESS, truth).temperature == pytest.approx(sharpness, rel=0.1)


def test_directions_cover_nine_of_ten():
    rng = np.random.default_rng(3)

    def drawn():
        azimuth, spread = rng.uniform(0, 2 * np.pi, 2000), rng.choice([0.05, 0.4], 2000)
        seen = azimuth + spread * rng.standard_normal(2000)
        # As long as a network's answer that thinks itself twice as sure.
        return azimuth, np.exp(-0.5 * (spread / 2) ** 2) * np.exp(1j * seen)

    azimuth, direction = drawn()
    vectors = 3 * np.stack([np.cos(azimuth), np.sin(azimuth)], axis=1)
    found = calibrate_direction(direction, {AZIMUTH: vectors})
    again, unseen = drawn()
    error = np.abs(np.angle(unseen * np.exp(-1j * again)))
    std = np.interp(np.sqrt(-2 * np.log(np.abs(unseen))), found.peak_std, found.std)
    assert 0.87 < np.mean(error <= NORMAL_90 * std) < 0.93


def test_few_patterns_give_one_number():
    found = error_curve(np.array([0.3, 0.1, 0.2]), np.array([1.0, 1.0, 1.0]))
    assert found == Calibration(1.0, (0.2,), (pytest.approx(1 / NORMAL_90),))


def test_a_wider_peak_is_never_worth_less():
    rng = np.random.default_rng(1)
    found = error_curve(np.linspace(0, 1, 900), rng.random(900))
    assert len(found.std) == 9
    assert np.all(np.diff(found.std) >= 0)
    assert np.all(np.diff(found.peak_std) > 0)
