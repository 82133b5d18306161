"""Each check alone: at which thicknesses, and that it catches the one choice that is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.simulation.checks.refinement import (
    MEAN_LOSS,
    WORST_LOSS,
    Finding,
    Reference,
    check_direction_pitch,
    check_grid,
    check_losses,
    check_plane_spacing,
    check_slice_depth,
)
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.slicing import Slicing

LIMITS = PatternLimits(
    thickness_max_nm=8.0, alpha_max_mrad=5.0, tau_max_mrad=2.0, max_angle_mrad=8.0, propagator="exact", tolerance=1e-3
)


@pytest.fixture(scope="module")
def slicing(srtio3_slices):
    return Slicing.behind(srtio3_slices)


@pytest.fixture(scope="module")
def reference(slicing):
    return Reference.of(slicing.on_grid((36, 36)), LIMITS)


@pytest.mark.parametrize(
    ("thickness_nm", "thicknesses_nm"), [(8.0, [7.81]), (39.1, [39.05]), (78.2, [39.05, 78.1]), (120.0, [59.75, 119.5])]
)
def test_thick_slabs_are_compared_at_two_depths(srtio3_slices, thickness_nm, thicknesses_nm):
    narrow = replace(LIMITS, thickness_max_nm=thickness_nm, alpha_max_mrad=2.0, tau_max_mrad=0.0, max_angle_mrad=3.0)
    reference = Reference.of(srtio3_slices, narrow)
    assert reference.thicknesses_nm == pytest.approx(thicknesses_nm, abs=0.2)
    assert len(check_losses(reference)[0].values) == len(thicknesses_nm)


def test_slices_do_not_differ_from_themselves(reference):
    assert reference.differences(reference.slices) == [0.0]


def test_differences_are_those_of_the_patterns(reference, slicing):
    """A crystal with a tenth more potential, against a direct comparison of the sums over the aperture."""
    heavier = replace(reference.slices, potential=1.1 * reference.slices.potential)
    trial = reference.trial.refined(heavier)
    theirs = trial.patterns(trial.run(reference.planes))[1]
    ours = reference.patterns[1]
    assert reference.differences(heavier)[0] == pytest.approx(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))
    assert reference.differences(heavier)[0] > 0.01


def test_one_slice_for_two_layers_is_caught_and_two_are_enough(reference, slicing):
    assert check_slice_depth(reference, slicing).good
    single = replace(slicing, slices=1)
    found = check_slice_depth(Reference.of(single.on_grid((36, 36)), LIMITS), single)
    assert not found.good
    assert found.as_json()["proposal"] == ["slice_depth_nm: 0.1953"]


def test_a_coarse_grid_is_caught_by_what_it_changes_and_by_what_it_loses(slicing):
    coarse = Reference.of(slicing.on_grid((16, 16)), replace(LIMITS, thickness_max_nm=40.0))
    grid, losses = check_grid(coarse, slicing), check_losses(coarse)
    assert not grid.good
    assert grid.as_json()["proposal"] == ["grid_px: [24, 24]"]
    assert [loss.tolerance for loss in losses] == [MEAN_LOSS, WORST_LOSS]
    assert losses[0].worst < losses[1].worst
    np.testing.assert_allclose(losses[0].values, coarse.lost[coarse.compared].mean(axis=1))
    np.testing.assert_allclose(losses[1].values, coarse.lost[coarse.compared].max(axis=1))


def test_a_coarse_pitch_is_caught_and_its_proposal_passes(reference):
    """A tolerance of half the error is missed; the error falls with a high power of the pitch."""
    error = check_direction_pitch(reference, 3.3).worst
    assert 0 < error < LIMITS.tolerance
    strict = replace(reference, trial=replace(reference.trial, limits=replace(LIMITS, tolerance=error / 2)))
    found = check_direction_pitch(strict, 3.3)
    assert not found.good
    name, value = found.line.split(": ")
    assert name == "direction_pitch_mrad"
    assert float(value) < 0.9 * 3.3
    assert check_direction_pitch(strict, float(value)).good


def test_planes_too_far_apart_are_caught_and_their_proposal_passes(reference):
    heavier = replace(reference.slices, potential=3 * reference.slices.potential)
    strict = Reference.of(heavier, LIMITS)
    found = check_plane_spacing(strict, 1.9)
    assert not found.good
    name, value = found.line.split(": ")
    assert name == "plane_spacing_nm"
    assert heavier.period_a / 10 - 1e-3 <= float(value) < 1.9
    assert check_plane_spacing(strict, float(value)).good


def test_findings_by_hand():
    good = Finding("grid", "relative L2", [1e-3, 2e-3], 2e-3, "grid_px: [4, 4]")
    assert good.as_json() == {
        "name": "grid", "what": "relative L2", "values": [1e-3, 2e-3], "worst": 2e-3, "tolerance": 2e-3, "proposal": []
    }  # fmt: skip
    bad = replace(good, tolerance=1.9e-3)
    assert not bad.good
    assert bad.as_json()["proposal"] == ["grid_px: [4, 4]"]
    assert not replace(good, values=[float("nan")]).good
