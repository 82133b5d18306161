"""Drawn parameters reach the renderer as they are meant; rendered patterns survive a kill."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.learning import rendered_patterns
from pacbed.learning.augment import center_of_mass
from pacbed.learning.draws import DrawnParameters, DrawRanges, draw_parameters
from pacbed.learning.rendered_patterns import render_drawn, stored_patterns

RANGES = DrawRanges((2.0, 9.0), (13.0, 14.0), (0.0, 2.0), (0.9, 1.1))
VIEW = {"pixels": 24, "max_angle_mrad": 21.0}


def one(**changes):
    """Parameters of one pattern."""
    values = {
        "thickness_nm": [6.0],
        "convergence_mrad": [13.0],
        "mistilt_mrad": [[0.0, 0.0]],
        "scale": [1.0],
        "rotation_deg": [0.0],
        "shift": [[0.0, 0.0]],
        "blur_mrad": [0.0],
    }
    return DrawnParameters(**{name: np.array(value, dtype=float) for name, value in {**values, **changes}.items()})


@pytest.fixture
def draw():
    return draw_parameters(10, RANGES, rng=np.random.default_rng(1))


def test_files_are_taken_up_again(renderer, draw, tmp_path, monkeypatch):
    """After a kill only the missing files are rendered, and the result is the same."""
    monkeypatch.setattr(rendered_patterns, "PATTERNS_PER_FILE", 4)
    complete = stored_patterns(renderer, draw, folder=tmp_path, **VIEW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000.npy", "00001.npy", "00002.npy"]
    (tmp_path / "00001.npy").unlink()
    (tmp_path / "00001.part.npy").write_bytes(b"killed here")
    rendered = []

    def counting(*args, **kwargs):
        rendered.append(len(args[1]))
        return render_drawn(*args, **kwargs)

    monkeypatch.setattr(rendered_patterns, "render_drawn", counting)
    again = stored_patterns(renderer, draw, folder=tmp_path, **VIEW)
    assert rendered == [4]
    assert np.array_equal(again, complete)


def test_patterns_are_relative_to_their_maximum(renderer, draw, tmp_path):
    images = stored_patterns(renderer, draw, folder=tmp_path, **VIEW)
    assert images.dtype == np.float16
    np.testing.assert_allclose(images.max(axis=(1, 2)), 1.0)
    exact = render_drawn(renderer, draw, **VIEW)
    np.testing.assert_allclose(images, exact / exact.max(axis=(1, 2), keepdims=True), atol=5e-4)


def test_rendered_shift_goes_right_and_down(renderer):
    image = render_drawn(renderer, one(thickness_nm=[0.1], shift=[[0.1, 0.05]]), pixels=60, max_angle_mrad=21.0)
    x, y = center_of_mass(image)[0]
    assert x == pytest.approx(0.6, abs=2e-3)
    assert y == pytest.approx(0.55, abs=2e-3)


def test_rendered_scale_above_one_looks_smaller(renderer):
    """A thin pattern is a flat disk: its area falls with the square of the scale."""
    areas = []
    for scale in (1.0, 1.25):
        image = render_drawn(renderer, one(thickness_nm=[0.1], scale=[scale]), pixels=80, max_angle_mrad=21.0)
        areas.append(image.sum() / image.max())
    assert areas[0] / areas[1] == pytest.approx(1.25**2, rel=0.02)


def test_threads_and_neighbours_change_nothing(renderer):
    draw = draw_parameters(12, RANGES, rng=np.random.default_rng(5))
    together = render_drawn(renderer, draw, pixels=24, max_angle_mrad=21.0, threads=3)
    alone = render_drawn(renderer, draw.select(np.array([7])), pixels=24, max_angle_mrad=21.0)
    assert together.shape == (12, 24, 24)
    assert np.array_equal(together[7], alone[0])
    assert all(image.max() > 0 for image in together)


def test_rendered_rotation_turns_from_x_towards_y(renderer):
    """The pattern of a tilted crystal is lopsided; turned by 90 degrees it is the same image, turned clockwise."""
    straight, turned = (
        render_drawn(renderer, one(mistilt_mrad=[[2.5, 1.0]], rotation_deg=[angle]), pixels=60, max_angle_mrad=21.0)[0]
        for angle in (0.0, 90.0)
    )
    for other in (np.rot90(straight), straight, np.rot90(straight, 2)):
        assert np.abs(turned - other).max() > 0.01 * straight.max()
    np.testing.assert_allclose(turned, np.rot90(straight, -1), atol=1e-3 * straight.max())
