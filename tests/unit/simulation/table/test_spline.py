"""The spline of a rocking table: exact for cubics, better than Lagrange's cubic and cubic B-splines, local."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import make_interp_spline

from pacbed.simulation.table.spline import PREFILTER, four_weights, plane_matrix, reach_mrad, spline_weights


@pytest.mark.parametrize("position", [0.2, 4.3, 9.0, 10.99])
def test_planes_reproduce_cubics(position):
    nodes = np.arange(12.0)
    coefficients = plane_matrix(12) @ (nodes**3 - 2 * nodes)
    below = min(int(position), 10)
    value = spline_weights(position - below) @ coefficients[below : below + 4]
    assert value == pytest.approx(position**3 - 2 * position)


@pytest.mark.parametrize("planes", [1, 2, 3, 5])
def test_few_planes_hold_constants(planes):
    np.testing.assert_allclose(plane_matrix(planes) @ np.ones(planes), 1.0)


def interpolation_error(samples_per_period):
    """Largest error of a unit wave, spline and Lagrange's cubic."""
    frequency = 2 * np.pi / samples_per_period
    nodes = np.arange(-10, 11)
    coefficients = np.convolve(np.cos(frequency * nodes + 0.4), PREFILTER, mode="same")
    spline, cubic = [], []
    for fraction in np.linspace(0, 1, 21):
        truth = np.cos(frequency * fraction + 0.4)
        spline.append(abs(spline_weights(fraction) @ coefficients[9:13] - truth))
        around = np.arange(-1, 3)
        cubic.append(abs(np.polyval(np.polyfit(around, np.cos(frequency * around + 0.4), 3), fraction) - truth))
    return max(spline), max(cubic)


@pytest.mark.parametrize(("samples_per_period", "limit"), [(8, 1e-3), (5, 6e-3), (4, 0.015)])
def test_spline_beats_lagrange(samples_per_period, limit):
    spline, cubic = interpolation_error(samples_per_period)
    assert spline < limit
    assert spline < cubic / 3


@pytest.mark.parametrize("samples_per_period", [12, 6, 4, 3.2])
def test_mean_error_is_below_that_of_b_splines_through_the_samples(samples_per_period):
    frequency, nodes = 2 * np.pi / samples_per_period, np.arange(-60, 61)
    fractions = np.linspace(0, 1, 41)
    phases = np.linspace(0, np.pi, 9)
    errors = {"bspline": [], "ours": []}
    for phase in phases:
        samples = np.cos(frequency * nodes + phase)
        bspline = make_interp_spline(nodes, samples, k=3)
        coefficients = np.convolve(samples, PREFILTER, mode="same")[59:63]
        truth = np.cos(frequency * fractions + phase)
        errors["bspline"].append(bspline(fractions) - truth)
        errors["ours"].append(spline_weights(fractions) @ coefficients - truth)
    rms = {name: float(np.sqrt(np.mean(np.square(values)))) for name, values in errors.items()}
    assert rms["ours"] < 0.7 * rms["bspline"]


def test_prefilter_keeps_cubics():
    nodes = np.arange(-10.0, 11.0)
    coefficients = np.convolve(nodes**3 - 20 * nodes**2, PREFILTER, mode="same")[9:13]
    for fraction in (0.0, 0.3, 0.9):
        assert spline_weights(fraction) @ coefficients == pytest.approx(fraction**3 - 20 * fraction**2, abs=1e-9)


@pytest.mark.parametrize("fraction", [0.0, 0.21, 0.5, 0.99])
def test_compiled_weights_are_the_same(fraction):
    weights = np.full((3, 4), np.nan, dtype=np.float32)
    four_weights(np.float32(fraction), weights, 1)
    np.testing.assert_allclose(weights[1], spline_weights(fraction), atol=1e-7)
    assert np.isnan(weights).sum() == weights.size - 4


def test_prefilter_keeps_constants():
    assert PREFILTER.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(PREFILTER, PREFILTER[::-1])


def test_reach_is_that_of_the_farthest_corner():
    pitch = np.array([[1.0, 0.0], [0.5, 1.0]])
    assert reach_mrad(pitch, 2) == pytest.approx(np.hypot(3.0, 2.0))
