"""Draws cover their ranges and keep held-out series apart; the split is the stack's."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import FormatError, ParameterError
from pacbed.learning.draws import PATTERNS_PER_THICKNESS, DrawRanges, SeriesSplit, draw_parameters, series_split
from pacbed.simulation.stack.stored import open_stack

RANGES = DrawRanges((2.0, 9.0), (13.0, 14.0), (0.0, 2.0), (0.9, 1.1))


@pytest.fixture(scope="module")
def split():
    """Two convergence angles by three mistilts; the largest mistilt at the smaller angle is held out."""
    held_out = np.zeros((2, 3), dtype=bool)
    held_out[0, 2] = True
    mirror_x, turn = np.diag([-1.0, 1.0]), np.array([[0.0, -1.0], [1.0, 0.0]])
    group = [np.linalg.matrix_power(turn, n) @ m for n in range(4) for m in (np.eye(2), mirror_x)]
    return SeriesSplit(
        np.array([13.0, 14.0]), np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]), held_out, np.array(group)
    )


def test_ranges_of_a_grid():
    axes = {"thickness_nm": [1.0, 5.0, 9.0], "convergence_mrad": [13.0], "mistilt_mrad": np.array([0.0, 3.0])}
    ranges = DrawRanges.spanned_by(**axes)
    assert ranges == DrawRanges((1.0, 9.0), (13.0, 13.0), (0.0, 3.0), (0.9, 1.1))
    assert DrawRanges.spanned_by(**axes, scale=(0.7, 1.4)).scale == (0.7, 1.4)


def test_draws_cover_their_ranges():
    draw = draw_parameters(4000, RANGES, rng=np.random.default_rng(1))
    assert len(draw) == 4000
    for task, (low, high) in {"thickness": (2, 9), "mistilt": (0, 2), "scale": (0.9, 1.1)}.items():
        values = draw.true_values(task)
        assert low <= values.min()
        assert values.max() <= high
        counts = np.histogram(values, bins=7, range=(low, high))[0]
        assert counts.min() > 0.8 * 4000 / 7, task  # evenly
    azimuth = np.arctan2(*draw.mistilt_mrad.T[::-1])
    assert np.histogram(azimuth, bins=8, range=(-np.pi, np.pi))[0].min() > 400  # the whole disk
    assert np.histogram(draw.rotation_deg, bins=8, range=(-180, 180))[0].min() > 400
    assert np.abs(draw.shift).max() == pytest.approx(0.1, abs=0.002)


def test_thickness_is_shared_but_on_no_grid():
    thickness = draw_parameters(6400, RANGES, rng=np.random.default_rng(1)).thickness_nm
    distinct = np.unique(thickness)
    assert len(distinct) == 6400 // PATTERNS_PER_THICKNESS
    assert np.all(np.diff(thickness) >= 0)
    assert np.diff(distinct).max() < 2 * 7.0 / len(distinct)  # stratified: no gaps


def test_seed_decides_everything():
    first, same, other = (draw_parameters(50, RANGES, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.mistilt_mrad, same.mistilt_mrad)
    assert not np.array_equal(first.mistilt_mrad, other.mistilt_mrad)


def test_angles_may_be_shared(split):
    draw = draw_parameters(100, RANGES, rng=np.random.default_rng(3), split=split, held_out=True, angles=5)
    assert 2 <= len(np.unique(draw.convergence_mrad)) <= 5
    assert split.is_held_out(draw.convergence_mrad, draw.mistilt_mrad).all()


def test_held_out_series_never_train(split):
    rng = np.random.default_rng(3)
    training = draw_parameters(1000, RANGES, rng=rng, split=split)
    validation = draw_parameters(1000, RANGES, rng=rng, split=split, held_out=True)
    assert not split.is_held_out(training.convergence_mrad, training.mistilt_mrad).any()
    assert split.is_held_out(validation.convergence_mrad, validation.mistilt_mrad).all()
    assert validation.convergence_mrad.max() <= 13.5
    # Nearest to 2 mrad along one of the four axes: at least 1.5 mrad away from 0 and 1.
    assert validation.true_values("mistilt").min() >= 1.5


def test_symmetric_mistilts_are_one_series(split):
    tilts = np.array([[0.0, 1.9], [-1.9, 0.1], [0.1, -1.9], [1.9, 0.1], [0.9, 0.1]])
    assert split.is_held_out(np.full(5, 13.1), tilts).tolist() == [True, True, True, True, False]
    assert not split.is_held_out(np.full(5, 13.9), tilts).any()


def test_split_with_an_empty_side(split):
    nothing = SeriesSplit(split.convergence_mrad, split.mistilt_mrad, np.zeros((2, 3), dtype=bool), split.group)
    with pytest.raises(ParameterError, match="split"):
        draw_parameters(2, RANGES, rng=np.random.default_rng(1), split=nothing, held_out=True)


def test_selected_patterns_keep_all_their_parameters():
    draw = draw_parameters(9, RANGES, rng=np.random.default_rng(5))
    some = draw.select(slice(3, 5))
    assert len(some) == 2
    for name in ("thickness_nm", "mistilt_mrad", "shift", "blur_mrad"):
        assert np.array_equal(getattr(some, name), getattr(draw, name)[3:5])


def test_true_values_are_those_of_the_task():
    draw = draw_parameters(5, RANGES, rng=np.random.default_rng(5))
    assert np.array_equal(draw.true_values("thickness"), draw.thickness_nm)
    assert np.array_equal(draw.true_values("scale"), draw.scale)
    np.testing.assert_allclose(draw.true_values("mistilt"), np.hypot(*draw.mistilt_mrad.T))


def test_split_is_the_stacks(stack_dir, tiny_table):
    stack = open_stack(stack_dir)
    split = series_split(stack_dir, tiny_table.group)
    assert split.held_out.shape == (2, np.asarray(stack["mistilt_mrad"]).size)
    assert split.held_out.sum() == np.asarray(stack["split"]).sum() > 0
    np.testing.assert_allclose(np.linalg.norm(split.mistilt_mrad, axis=1), np.asarray(stack["mistilt_mrad"]))
    # Each series is its own nearest one.
    for angle, row in zip(split.convergence_mrad, split.held_out, strict=True):
        angles = np.full(len(row), angle)
        assert np.array_equal(split.is_held_out(angles, split.mistilt_mrad), row)


def test_incomplete_stack_is_refused(tmp_path, tiny_table):
    with pytest.raises(FormatError, match=r"done\.json"):
        series_split(tmp_path, tiny_table.group)
