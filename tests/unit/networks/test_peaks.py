"""Peaks of distributions over classes."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.networks.classes import TaskClasses
from pacbed.networks.peaks import find_peaks, main_peak, peak_width

CLASSES = np.arange(1.0, 101.0)


def gaussians(*peaks):
    total = sum(share * np.exp(-0.5 * ((CLASSES - center) / 1.0) ** 2) for center, share in peaks)
    return total / total.sum()


def test_candidates_are_the_peaks_likeliest_first():
    peaks = find_peaks(gaussians((20.3, 0.3), (60.6, 0.6), (90, 0.1)), CLASSES, width=3, count=3, least=0.03)
    assert [peak.value for peak in peaks] == pytest.approx([60.6, 20.3, 90.0], abs=0.05)
    assert [peak.probability for peak in peaks] == pytest.approx([0.6, 0.3, 0.1], abs=0.01)
    assert peaks[0].std == pytest.approx(1.0, abs=0.1)


def test_the_shoulder_of_a_peak_is_no_candidate():
    shoulder = gaussians((52, 0.8), (48.4, 0.15), (30, 0.05))
    assert [round(peak.value) for peak in find_peaks(shoulder, CLASSES, width=2, count=3, least=0.03)] == [52, 48, 30]
    slope = np.where(CLASSES <= 50, np.exp((CLASSES - 50) / 5), 0.0)
    assert len(find_peaks(slope / slope.sum(), CLASSES, width=3, count=3, least=0.03)) == 1


def test_a_certain_network_has_one_candidate():
    certain = np.zeros(100)
    certain[41] = 1.0
    peaks = find_peaks(certain, CLASSES, width=3, count=3, least=0.03)
    assert [(peak.value, peak.std, peak.probability) for peak in peaks] == [(42.0, 0.0, 1.0)]


def test_main_peak_leaves_the_rest_out():
    assert main_peak(gaussians((20, 0.7), (60, 0.3)), CLASSES, width=5).value == pytest.approx(20, abs=0.01)
    assert main_peak(gaussians((20, 0.7), (60, 0.3)), CLASSES, width=np.inf).value == pytest.approx(32, abs=0.1)


def test_the_width_of_a_peak_is_that_of_its_task():
    values = np.array([0.9, 0.95, 1.0])
    assert peak_width(TaskClasses("thickness", values)) == 3.0
    assert peak_width(TaskClasses("scale", values)) == pytest.approx(0.15)
    assert peak_width(TaskClasses("mistilt", values)) == np.inf
