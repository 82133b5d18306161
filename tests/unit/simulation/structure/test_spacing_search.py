"""Thickness planes lie as far apart as the crystal allows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacbed.simulation.structure.interpolation import every_period, plane_error
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.spacing_search import LIMIT, measure_spacing
from pacbed.simulation.structure.trial_aperture import TrialAperture
from pacbed.simulation.table.settings import plane_layout

LIMITS = PatternLimits(
    thickness_max_nm=20.0, alpha_max_mrad=10.0, tau_max_mrad=2.0, max_angle_mrad=15.0, propagator="exact",
    tolerance=2e-3,
)  # fmt: skip


@pytest.fixture(scope="module")
def heavier(srtio3_slices):
    """Three times the potential makes intensities oscillate faster with thickness."""
    return replace(srtio3_slices, potential=3 * srtio3_slices.potential)


def test_a_heavier_crystal_needs_closer_planes(srtio3_slices, heavier):
    period_nm = srtio3_slices.period_a / 10
    wide, close = measure_spacing(srtio3_slices, LIMITS), measure_spacing(heavier, LIMITS)
    assert period_nm * 0.999 < close.spacing_nm < wide.spacing_nm
    for spacing, error in (wide, close):
        assert error <= LIMIT * LIMITS.tolerance
        periods = round(spacing / period_nm)
        assert spacing / period_nm == pytest.approx(periods, rel=1e-5)
        # The distance found, taken as the limit, gives the same number of periods.
        assert plane_layout(srtio3_slices.period_a, 20.0, spacing)[0] == periods


def test_planes_one_period_further_apart_miss_the_tolerance(heavier):
    """Tried in other directions than those of the search."""
    found, period_nm = measure_spacing(heavier, LIMITS), heavier.period_a / 10
    trial = TrialAperture.of(heavier, LIMITS)
    every = every_period(trial, trial.even_directions(10, turn=0.3))
    good, coarse = (
        plane_error(every, heavier.period_a, found.spacing_nm + more * period_nm, LIMITS.thickness_max_nm)
        for more in (0, 1)
    )
    assert good < 1.3 * LIMIT * LIMITS.tolerance < coarse


def test_one_period_always_does(srtio3_slices):
    found = measure_spacing(srtio3_slices, replace(LIMITS, tolerance=1e-9))
    assert found.spacing_nm == pytest.approx(srtio3_slices.period_a / 10, rel=1e-5)
    assert found.relative_l2 == 0.0
