"""Patterns on which choices are judged: at which thicknesses, and what other slices change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.simulation.structure.refinement import check_losses
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.trial_aperture import Reference, compared_nm

LIMITS = PatternLimits(
    thickness_max_nm=8.0, alpha_max_mrad=5.0, tau_max_mrad=2.0, max_angle_mrad=8.0, propagator="exact", tolerance=1e-3
)


@pytest.fixture(scope="module")
def reference(srtio3_slices):
    return Reference.of(srtio3_slices, LIMITS)


@pytest.mark.parametrize(
    ("thickness_nm", "thicknesses_nm"), [(8.0, [7.81]), (39.1, [39.05]), (78.2, [39.05, 78.1]), (120.0, [59.75, 119.5])]
)
def test_thick_slabs_are_compared_at_two_depths(srtio3_slices, thickness_nm, thicknesses_nm):
    narrow = replace(LIMITS, thickness_max_nm=thickness_nm, alpha_max_mrad=2.0, tau_max_mrad=0.0, max_angle_mrad=3.0)
    reference = Reference.of(srtio3_slices, narrow)
    assert reference.thicknesses_nm == pytest.approx(thicknesses_nm, abs=0.2)
    assert compared_nm(srtio3_slices.period_a, thickness_nm) == pytest.approx(list(reference.thicknesses_nm))
    assert len(check_losses(reference)[0].values) == len(thicknesses_nm)


def test_slices_do_not_differ_from_themselves(reference):
    assert reference.differences(reference.slices) == [0.0]


def test_differences_are_those_of_the_patterns(reference):
    """A crystal with a tenth more potential, against a direct comparison of the sums over the aperture."""
    heavier = replace(reference.slices, potential=1.1 * reference.slices.potential)
    trial = reference.trial.refined(heavier)
    theirs = trial.patterns(trial.run(reference.planes))[1]
    ours = reference.patterns[1]
    assert reference.differences(heavier)[0] == pytest.approx(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))
    assert reference.differences(heavier)[0] > 0.01
