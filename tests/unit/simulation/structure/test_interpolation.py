"""Errors of the spline between directions and planes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import make_interp_spline

from pacbed.patterns import relative_l2
from pacbed.simulation.structure.interpolation import direction_error, every_period, plane_error
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.trial_aperture import ThicknessPlanes, TrialAperture

LIMITS = PatternLimits(
    thickness_max_nm=10.0, alpha_max_mrad=6.0, tau_max_mrad=3.0, max_angle_mrad=9.0, propagator="exact", tolerance=2e-3
)


@pytest.fixture(scope="module")
def trial(srtio3_slices):
    return TrialAperture.of(srtio3_slices, LIMITS)


@pytest.fixture(scope="module")
def every(trial):
    return every_period(trial, trial.even_directions(4))


def test_the_error_between_directions_falls_with_a_high_power_of_the_pitch(srtio3_slices, trial):
    """Between the third and the tenth power, thin slabs and fine pitches being limited by single precision."""
    planes = ThicknessPlanes(2, 20)
    patterns = trial.patterns(trial.run(planes))
    reciprocal_mrad = srtio3_slices.reciprocal * trial.mrad_per_inverse_a
    coarse, fine = (
        direction_error(trial, reciprocal_mrad / count, trial.even_directions(4), planes=planes, patterns=patterns)
        for count in (2, 3)
    )
    assert coarse.shape == (3,)
    assert coarse[0] < 1e-6
    assert coarse[1] < coarse[2]  # rocking curves become finer with thickness
    assert 1.5**3 < coarse[2] / fine[2] < 1.5**10


def test_every_period_holds_the_beams_in_the_field(trial, every, srtio3_slices):
    period_nm = srtio3_slices.period_a / 10
    assert (len(every) - 1) * period_nm > LIMITS.thickness_max_nm
    directions = trial.even_directions(4)
    seen = trial.seen(directions)
    assert every.shape[1] == seen.sum()
    direct = trial.run_at(directions, ThicknessPlanes(1, 7))[1]
    np.testing.assert_allclose(every[7], direct[seen], rtol=1e-5, atol=1e-9)


def test_the_error_between_planes_grows_with_their_distance(every, srtio3_slices):
    errors = [plane_error(every, srtio3_slices.period_a, spacing, 10.0) for spacing in (0.4, 1.0, 1.8)]
    assert errors[0] == 0.0 < 10 * errors[1] < errors[2] < 2e-2


def test_nothing_lies_between_planes_of_a_thin_slab(every, srtio3_slices):
    assert plane_error(every, srtio3_slices.period_a, 1.0, 0.7) == 0.0


def test_plane_errors_are_about_those_of_an_ordinary_spline(every, srtio3_slices):
    """Cubic splines through the planes, by another library: the kernel of the table differs a little from theirs."""
    period_a, spacing = srtio3_slices.period_a, 4  # periods; 1.56 nm
    planes = np.arange(0, len(every) - spacing, spacing)
    spline = make_interp_spline(planes, every[planes].astype(float), k=3)
    depths = range(3, int(100 / period_a))
    ordinary = max(relative_l2(spline(depth), every[depth]) for depth in depths)
    assert ordinary / 3 < plane_error(every, period_a, 1.6, 10.0) < 3 * ordinary


def test_what_a_cubic_says_is_interpolated_without_error():
    """Intensities that are a cubic in depth, in whatever units."""
    depth = np.arange(60)[:, None] / 60
    cubic = 0.3 + depth * np.array([0.1, -0.2]) + depth**2 * np.array([0.2, 0.1]) - depth**3 * np.array([0.3, 0.05])
    assert plane_error(cubic, 4.0, 1.2, 18.0) < 1e-9
    wavy = cubic + 0.01 * np.sin(40 * depth)
    assert plane_error(wavy, 4.0, 1.2, 18.0) > 1e-4
