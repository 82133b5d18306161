"""The aperture in which numerical choices are tried, and the spline against direct computation in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.potentials import whole_periods
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.structure.settings import GridReach, PatternLimits, StructureSettings
from pacbed.simulation.structure.trial_aperture import ThicknessPlanes, TrialAperture, even_directions

LIMITS = PatternLimits(
    thickness_max_nm=10.0, alpha_max_mrad=6.0, tau_max_mrad=3.0, max_angle_mrad=9.0, propagator="exact", tolerance=2e-3
)


@pytest.fixture(scope="module")
def trial(srtio3_slices):
    return TrialAperture.of(srtio3_slices, LIMITS)


@pytest.mark.parametrize("turn", [0.0, 1.0])
def test_directions_cover_a_disk_evenly(turn):
    """Every eighth of the disk's area, in radius or in azimuth, holds an eighth of the directions."""
    points = even_directions(800, 12.0, turn=turn)
    radius = np.linalg.norm(points, axis=1)
    assert radius.max() <= 12.0
    rings = np.histogram(radius**2, bins=8, range=(0, 144))[0]
    sectors = np.histogram(np.arctan2(points[:, 1], points[:, 0]), bins=8, range=(-np.pi, np.pi))[0]
    np.testing.assert_allclose(rings, 100, atol=1)
    np.testing.assert_allclose(sectors, 100, atol=4)


def test_a_turn_keeps_angles_and_moves_directions():
    straight, turned = even_directions(30, 5.0), even_directions(30, 5.0, turn=0.4)
    np.testing.assert_allclose(np.linalg.norm(straight, axis=1), np.linalg.norm(turned, axis=1))
    matrix = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    np.testing.assert_allclose(turned, straight @ matrix.T, atol=1e-12)


def test_the_aperture_stands_at_the_largest_mistilt(trial):
    directions = trial.even_directions(50)
    center = trial.aperture.mistilt_mrad
    assert np.linalg.norm(center) == pytest.approx(LIMITS.tau_max_mrad)
    assert np.linalg.norm(directions - center, axis=1).max() <= LIMITS.alpha_max_mrad
    np.testing.assert_allclose(trial.aperture.q.mean(axis=0) * trial.mrad_per_inverse_a, center, rtol=1e-6)


def test_beams_are_seen_where_they_leave_within_the_field(srtio3_slices, trial):
    """Against the definition, beam by beam; angles count from the axis of the aperture."""
    directions = trial.even_directions(7)
    seen = trial.seen(directions)
    assert 0 < seen.sum() < seen.size
    for direction, row in zip(directions, seen, strict=True):
        for beam, visible in zip(trial.aperture.beams, row, strict=True):
            leaving = (
                direction - trial.aperture.mistilt_mrad + beam @ srtio3_slices.reciprocal * trial.mrad_per_inverse_a
            )
            assert visible == (np.hypot(*leaving) <= LIMITS.max_angle_mrad)


def test_waves_are_those_of_the_engine(srtio3_slices, trial):
    directions = trial.even_directions(5)
    intensity = trial.run_at(directions, ThicknessPlanes(2, 3))
    engine = PlaneWaveEngine(srtio3_slices)
    direct = engine.run(
        directions / trial.mrad_per_inverse_a, beams=trial.aperture.beams, planes=2, periods_per_plane=3
    ).intensity
    np.testing.assert_array_equal(intensity, direct)


def test_patterns_hold_the_whole_beam_at_the_entrance_surface(trial):
    """Nothing is scattered yet: a disk of equal shares of the beam, one for each direction, the mistilt left out."""
    patterns, share = trial.patterns(trial.run(ThicknessPlanes(1, 20))), trial.aperture.direction_share
    assert patterns[0].sum() == pytest.approx(1.0, rel=0.05)
    np.testing.assert_allclose(np.unique(np.round(patterns[0] / share, 6)), [0.0, 1.0])
    assert 0.5 * patterns[0].sum() < patterns[1].sum() < patterns[0].sum()


def test_other_slices_keep_directions_and_beams(srtio3_slices, trial):
    empty = replace(srtio3_slices, potential=0 * srtio3_slices.potential, absorption=0 * srtio3_slices.absorption)
    refined = trial.refined(empty)
    through = refined.patterns(refined.run(ThicknessPlanes(1, 20)))
    np.testing.assert_allclose(through[1], through[0], atol=1e-5)
    np.testing.assert_array_equal(through[0], trial.patterns(trial.run(ThicknessPlanes(1, 1)))[0])


@pytest.mark.parametrize(
    ("period_a", "thickness_nm", "periods"), [(4.0, 10.0, 25), (4.0, 9.99, 24), (4.0, 0.1, 1), (25.0, 5.0, 2)]
)
def test_whole_periods_in_a_thickness(period_a, thickness_nm, periods):
    assert whole_periods(period_a, thickness_nm) == periods


def test_a_configuration_is_handed_on_to_grid_and_patterns():
    settings = StructureSettings(
        zone_axis=[0, 0, 1], energy_kev=200.0, thermal_model="none", parametrization="lobato", grid_px="auto",
        slice_depth_nm="auto", thickness_max_nm=1.0, cone_mrad=2.0, field_mrad=3.0, propagator="fresnel",
        direction_pitch_mrad="auto", plane_spacing_nm="auto", alpha_max_mrad=4.0, tau_max_mrad=5.0, max_angle_mrad=6.0,
        tolerance=7.0,
    )  # fmt: skip
    assert settings.grid_reach == GridReach(thickness_max_nm=1.0, cone_mrad=2.0, field_mrad=3.0, propagator="fresnel")
    assert settings.pattern_limits == PatternLimits(
        thickness_max_nm=1.0, alpha_max_mrad=4.0, tau_max_mrad=5.0, max_angle_mrad=6.0, propagator="fresnel",
        tolerance=7.0,
    )  # fmt: skip
