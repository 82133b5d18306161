"""The patterns that the referee computes are drawn inside the grid, and repeatable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.simulation.checks.parameter_sets import RefereeSettings, draw_sets

PERIOD_A = 3.905
SETTINGS = RefereeSettings(
    cells=3, patterns=40, max_thickness_nm=4.0, full_thickness=True, seed=1, tolerance=2e-3, thickness_max_nm=10.0,
    alpha_max_mrad=12.0, tau_max_mrad=3.0,
)  # fmt: skip


def _draw(seed, **changes):
    return draw_sets(PERIOD_A, replace(SETTINGS, **changes), rng=np.random.default_rng(seed))


def test_sets_follow_from_the_seed():
    assert _draw(5) == _draw(5)
    assert _draw(5) != _draw(6)


def test_sets_lie_inside_the_grid_and_the_last_is_at_full_thickness():
    sets = _draw(5)
    assert len(sets) == 41
    assert all(1 <= chosen.periods <= 10 for chosen in sets[:-1])  # 10 periods are 3.9 nm
    assert sets[-1].periods == 25
    assert all(0.8 * 12 <= chosen.convergence_mrad <= 12 for chosen in sets)
    assert len(_draw(5, full_thickness=False)) == 40


def test_no_set_is_thicker_than_the_grid():
    assert max(chosen.periods for chosen in _draw(5, max_thickness_nm=50.0)) == 25


def test_mistilts_fill_their_disk():
    """A quarter of them lies within half the largest mistilt, and in every quadrant."""
    tilts = np.array([chosen.mistilt_mrad for chosen in _draw(5, patterns=2000)])
    sizes = np.linalg.norm(tilts, axis=1)
    assert sizes.max() <= 3.0
    assert np.mean(sizes < 1.5) == pytest.approx(0.25, abs=0.04)
    quadrants = np.histogram(np.arctan2(tilts[:, 1], tilts[:, 0]), bins=4, range=(-np.pi, np.pi))[0]
    np.testing.assert_allclose(quadrants / len(tilts), 0.25, atol=0.04)


def test_a_grid_without_mistilt_is_refereed_without():
    assert {chosen.mistilt_mrad for chosen in _draw(5, tau_max_mrad=0.0)} == {(0.0, 0.0)}
