"""Drawn parameters reach the renderer as they are meant; patterns lie in their frame and survive a kill."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.learning.draws import DrawnParameters, DrawRanges, draw_parameters
from pacbed.learning.rendered import patterns
from pacbed.learning.rendered.patterns import render_framed, stored_patterns
from pacbed.networks.frame import PolarFrame
from pacbed.outline import find_outline
from pacbed.patterns import Geometry

RANGES = DrawRanges((2.0, 9.0), (13.0, 14.0), (0.0, 2.0), (0.9, 1.1))
FRAME = PolarFrame(pixels=32)
VIEW = {"max_angle_mrad": 22.5}


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
    monkeypatch.setattr(patterns, "PATTERNS_PER_FILE", 4)
    complete = stored_patterns(renderer, draw, FRAME, folder=tmp_path, **VIEW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000.npz", "00001.npz", "00002.npz"]
    (tmp_path / "00001.npz").unlink()
    (tmp_path / "00001.part.npz").write_bytes(b"killed here")
    rendered = []

    def counting(*args, **kwargs):
        rendered.append(len(args[1]))
        return render_framed(*args, **kwargs)

    monkeypatch.setattr(patterns, "render_framed", counting)
    again = stored_patterns(renderer, draw, FRAME, folder=tmp_path, **VIEW)
    assert rendered == [4]
    for array, expected in zip(again, complete, strict=True):
        assert np.array_equal(array, expected)


def test_patterns_are_relative_to_their_maximum(renderer, draw):
    """What `brightest` says in every unit of solid angle is the image's 1."""
    framed = render_framed(renderer, draw, FRAME, **VIEW)
    assert framed.images.dtype == np.float16
    np.testing.assert_allclose(framed.images.max(axis=(1, 2)), 1.0)
    pixel_mrad2 = (FRAME.pixel * framed.radius_mrad) ** 2
    beam = framed.images.astype(float).sum(axis=(1, 2)) * framed.brightest * pixel_mrad2
    assert np.all((beam > 0.6) & (beam < 1.001))  # the rest is absorbed, or scattered out of the frame


def test_the_bright_region_fills_its_frame(renderer, draw):
    """Looked for again, it lies in the middle with a radius of 1."""
    for image in render_framed(renderer, draw, PolarFrame(), **VIEW).images.astype(np.float32):
        outline = find_outline(image)
        assert outline.radius_px * PolarFrame().pixel == pytest.approx(1.0, abs=0.03)
        np.testing.assert_allclose(outline.center_px, 31.5, atol=0.6)


def test_the_radius_is_that_a_camera_shows(renderer):
    drawn = one(mistilt_mrad=[[1.5, 1.0]], rotation_deg=[30.0])
    found = render_framed(renderer, drawn, FRAME, **VIEW).radius_mrad[0]
    view = Geometry((200, 200), 0.225, (94.0, 106.0), 30.0)
    camera = renderer.render(thickness_nm=6.0, convergence_mrad=13.0, mistilt_mrad=(1.5, 1.0), geometry=view)
    assert found == pytest.approx(find_outline(camera).radius_px * 0.225, rel=0.02)


def test_threads_and_neighbours_change_nothing(renderer):
    draw = draw_parameters(12, RANGES, rng=np.random.default_rng(5))
    together = render_framed(renderer, draw, FRAME, threads=3, **VIEW)
    alone = render_framed(renderer, draw.select(np.array([7])), FRAME, **VIEW)
    for several, single in zip(together, alone, strict=True):
        assert np.array_equal(several[7], single[0])


def test_rendered_rotation_turns_from_x_towards_y(renderer):
    """The pattern of a tilted crystal is lopsided; turned by 90 degrees it is the same image, turned clockwise."""
    straight, turned = (
        render_framed(renderer, one(mistilt_mrad=[[2.5, 1.0]], rotation_deg=[angle]), PolarFrame(), **VIEW)
        .images[0]
        .astype(float)
        for angle in (0.0, 90.0)
    )
    for other in (np.rot90(straight), straight, np.rot90(straight, 2)):
        assert np.abs(turned - other).max() > 0.05
    np.testing.assert_allclose(turned, np.rot90(straight, -1), atol=5e-3)
