"""Gain, constant and background of a pattern by least squares, the constant alone free to be negative."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from pacbed.simulation.rendering.background import solve_linear


@pytest.fixture
def columns():
    """A pattern, a constant and two backgrounds on 400 pixels."""
    rng, x = np.random.default_rng(2), np.linspace(-1, 1, 400)
    return np.stack([rng.random(400), np.ones(400), np.exp(-(x**2) / 0.8), np.exp(-(x**2) / 3.0)], axis=1)


@pytest.mark.parametrize("truth", [(3.0, 2.0, 0.4, 0.1), (1.0, -5.0, 0.0, 2.0), (0.7, 0.0, 0.3, 0.0)])
def test_what_went_in_comes_out(columns, truth):
    np.testing.assert_allclose(solve_linear(columns, columns @ np.array(truth)), truth, atol=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_bounded_least_squares(columns, seed):
    """Targets of noise, whose free solutions have negative weights."""
    target = np.random.default_rng(seed).normal(size=len(columns))
    bounds = ([0, -np.inf, 0, 0], np.inf)
    expected = lsq_linear(columns, target, bounds=bounds, tol=1e-14).x
    found = solve_linear(columns, target)
    assert np.all(found[[0, 2, 3]] >= 0)
    residual, least = (np.linalg.norm(columns @ solution - target) for solution in (found, expected))
    assert residual <= least * (1 + 1e-3)


def test_a_pattern_upside_down_gets_no_gain(columns):
    solution = solve_linear(columns, 1.0 - columns[:, 0])
    assert solution[0] == 0 and solution[1] > 0
