"""Draws cover their ranges, keep held-out series apart, and reach the renderer with their geometry."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.learning.augment import center_of_mass
from pacbed.learning.draws import PATTERNS_PER_THICKNESS, Draw, DrawRanges, SeriesSplit, draw_parameters, render_draw

RANGES = DrawRanges((2.0, 9.0), (13.0, 14.0), (0.0, 2.0), (0.9, 1.1))


def one(**changes):
    """Draw of one pattern."""
    values = {
        "thickness_nm": [6.0],
        "convergence_mrad": [13.0],
        "mistilt_mrad": [[0.0, 0.0]],
        "scale": [1.0],
        "rotation_deg": [0.0],
        "shift": [[0.0, 0.0]],
        "blur_mrad": [0.0],
    }
    return Draw(**{name: np.array(value, dtype=float) for name, value in {**values, **changes}.items()})


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
    grid = {"thickness_nm": [1.0, 5.0], "convergence_mrad": [13.0], "mistilt_mrad": [0.0, 3.0]}
    assert DrawRanges.of(grid, task="scale", scale_range=(0.7, 1.4)).scale == (0.7, 1.4)
    thickness = DrawRanges.of(grid, task="thickness", scale_range=(0.7, 1.4))
    assert thickness.scale == (0.9, 1.1)
    assert thickness.thickness_nm == (1.0, 5.0)


def test_draws_cover_their_ranges():
    draw = draw_parameters(4000, RANGES, rng=np.random.default_rng(1))
    assert len(draw) == 4000
    for task, (low, high) in {"thickness": (2, 9), "mistilt": (0, 2), "scale": (0.9, 1.1)}.items():
        values = draw.value(task)
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


def test_held_out_series_never_train(split):
    rng = np.random.default_rng(3)
    training = draw_parameters(1000, RANGES, rng=rng, split=split)
    validation = draw_parameters(1000, RANGES, rng=rng, split=split, held_out=True)
    assert not split.is_held_out(training.convergence_mrad, training.mistilt_mrad).any()
    assert split.is_held_out(validation.convergence_mrad, validation.mistilt_mrad).all()
    assert validation.convergence_mrad.max() <= 13.5
    # Nearest to 2 mrad along one of the four axes: at least 1.5 mrad away from 0 and 1.
    assert validation.value("mistilt").min() >= 1.5


def test_symmetric_mistilts_are_one_series(split):
    tilts = np.array([[0.0, 1.9], [-1.9, 0.1], [0.1, -1.9], [1.9, 0.1], [0.9, 0.1]])
    assert split.is_held_out(np.full(5, 13.1), tilts).tolist() == [True, True, True, True, False]
    assert not split.is_held_out(np.full(5, 13.9), tilts).any()


def test_split_with_an_empty_side(split):
    nothing = SeriesSplit(split.convergence_mrad, split.mistilt_mrad, np.zeros((2, 3), dtype=bool), split.group)
    with pytest.raises(ParameterError, match="split"):
        draw_parameters(2, RANGES, rng=np.random.default_rng(1), split=nothing, held_out=True)


def test_rendered_shift_goes_right_and_down(renderer):
    image = render_draw(renderer, one(thickness_nm=[0.1], shift=[[0.1, 0.05]]), pixels=60, max_angle_mrad=21.0)
    x, y = center_of_mass(image)[0]
    assert x == pytest.approx(0.6, abs=2e-3)
    assert y == pytest.approx(0.55, abs=2e-3)


def test_rendered_scale_above_one_looks_smaller(renderer):
    """A thin pattern is a flat disk: its area falls with the square of the scale."""
    areas = []
    for scale in (1.0, 1.25):
        image = render_draw(renderer, one(thickness_nm=[0.1], scale=[scale]), pixels=80, max_angle_mrad=21.0)
        areas.append(image.sum() / image.max())
    assert areas[0] / areas[1] == pytest.approx(1.25**2, rel=0.02)


def test_threads_and_neighbours_change_nothing(renderer):
    draw = draw_parameters(12, RANGES, rng=np.random.default_rng(5))
    together = render_draw(renderer, draw, pixels=24, max_angle_mrad=21.0, threads=3)
    alone = render_draw(renderer, draw.part(np.array([7])), pixels=24, max_angle_mrad=21.0)
    assert together.shape == (12, 24, 24)
    assert np.array_equal(together[7], alone[0])
    assert all(image.max() > 0 for image in together)
