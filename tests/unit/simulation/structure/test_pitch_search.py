"""Directions lie as far apart as the spline between them allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.errors import SimulationError
from pacbed.simulation.structure.interpolation import direction_error
from pacbed.simulation.structure.pitch_search import LIMIT, direction_steps, measure_pitch
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.trial_aperture import Reference, ThicknessPlanes, TrialAperture

LIMITS = PatternLimits(
    thickness_max_nm=20.0,
    alpha_max_mrad=10.0,
    tau_max_mrad=2.0,
    max_angle_mrad=15.0,
    propagator="exact",
    tolerance=1e-3,
)


@pytest.fixture(scope="module")
def found(srtio3_slices):
    """The pitch for each of two tolerances."""
    references = {
        tolerance: Reference.of(srtio3_slices, replace(LIMITS, tolerance=tolerance)) for tolerance in (1e-3, 1e-4)
    }
    return {tolerance: measure_pitch(srtio3_slices, reference) for tolerance, reference in references.items()}


@pytest.mark.parametrize("tolerance", [1e-3, 1e-4])
def test_the_pitch_meets_the_tolerance_and_gives_the_same_directions_again(srtio3_slices, found, tolerance):
    pitch, error = found[tolerance]
    assert 0.05 * tolerance < error <= LIMIT * tolerance
    assert direction_steps(srtio3_slices, LIMITS, pitch).longest_mrad == pytest.approx(pitch, rel=1e-5)


def test_a_stricter_tolerance_needs_a_finer_pitch(found):
    """A ten times smaller error of an order of five to eight needs 1.3 to 1.6 times finer steps; whole ones exist."""
    assert 1.2 < found[1e-3].pitch_mrad / found[1e-4].pitch_mrad < 2.2


def test_the_next_coarser_directions_miss_the_tolerance(srtio3_slices, found):
    """One step fewer per reciprocal lattice vector, tried in other places than those of the search."""
    pitch, accepted = found[1e-4].pitch_mrad, LIMIT * 1e-4
    trial = TrialAperture.of(srtio3_slices, LIMITS)
    planes = ThicknessPlanes(1, 51)  # of 0.3905 nm: the largest thickness
    patterns = trial.patterns(trial.run(planes))
    length = float(np.linalg.norm(srtio3_slices.reciprocal[0])) * trial.mrad_per_inverse_a
    errors = []
    for fewer in (0, 1):
        count = round(length / pitch) - fewer
        steps, longest = direction_steps(srtio3_slices, LIMITS, length / count * (1 + 1e-6))
        assert longest == pytest.approx(length / count)
        centers = trial.even_directions(16, turn=0.3)
        error = direction_error(trial, steps, centers, planes=planes, patterns=patterns)
        assert error[0] < 1e-6  # nothing has happened at the entrance surface
        errors.append(error[1])
    assert errors[0] < accepted < errors[1]


def test_a_search_that_does_not_end_says_so(srtio3_slices):
    """No spline is as good as the rounding of what it interpolates."""
    with pytest.raises(SimulationError, match=r"direction_pitch_mrad: auto ended at .* give a pitch by hand"):
        measure_pitch(
            srtio3_slices, Reference.of(srtio3_slices, replace(LIMITS, thickness_max_nm=2.0, tolerance=1e-12))
        )
