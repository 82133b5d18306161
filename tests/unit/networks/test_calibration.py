"""Calibrations: temperatures, widths of peaks, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.networks.calibration import Calibration
from pacbed.networks.peaks import Peak

CURVE = Calibration(1.0, (1.0, 2.0, 4.0), (0.2, 0.6, 5.0))


def test_without_measurement_nothing_changes():
    probability = np.array([[0.2, 0.5, 0.3]])
    np.testing.assert_allclose(Calibration().probability(probability), probability)
    assert Calibration().peak(Peak(3.0, 1.1, 0.9)) == Peak(3.0, 1.1, 0.9)


def test_a_temperature_sharpens_or_blurs():
    """Against the formula; the sum stays 1."""
    probability = np.array([0.2, 0.5, 0.3])
    for temperature in (0.5, 2.0):
        expected = probability ** (1 / temperature)
        np.testing.assert_allclose(Calibration(temperature).probability(probability), expected / expected.sum())


@pytest.mark.parametrize(("std", "worth"), [(0.5, 0.2), (1.0, 0.2), (1.5, 0.4), (3.0, 2.8), (9.0, 5.0)])
def test_the_width_of_a_peak_is_worth_what_was_measured(std, worth):
    peak = CURVE.peak(Peak(20.0, std, 0.7))
    assert (peak.value, peak.probability) == (20.0, 0.7)
    assert peak.std == pytest.approx(worth)


def test_a_calibration_is_read_as_it_was_written():
    assert Calibration.from_json(CURVE.as_json()) == CURVE


@pytest.mark.parametrize(
    "change",
    [{"temperature": 0}, {"temperature": None}, {"std": [1.0]}, {"peak_std": [2.0, 1.0, 4.0]}, {"std": [1, 2, -3]}],
)
def test_a_damaged_calibration_is_refused(change):
    with pytest.raises(FormatError, match="calibration: "):
        Calibration.from_json(CURVE.as_json() | change)
