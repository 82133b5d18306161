"""Each check alone catches the one choice that is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.simulation.structure.refinement import (
    MEAN_LOSS,
    WORST_LOSS,
    check_direction_pitch,
    check_grid,
    check_losses,
    check_plane_spacing,
    check_slice_depth,
)
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.slicing import Slicing
from pacbed.simulation.structure.trial_aperture import Reference

LIMITS = PatternLimits(
    thickness_max_nm=8.0, alpha_max_mrad=5.0, tau_max_mrad=2.0, max_angle_mrad=8.0, propagator="exact", tolerance=1e-3
)


@pytest.fixture(scope="module")
def slicing(srtio3_slices):
    return Slicing.behind(srtio3_slices)


@pytest.fixture(scope="module")
def reference(slicing):
    return Reference.of(slicing.on_grid((36, 36)), LIMITS)


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
