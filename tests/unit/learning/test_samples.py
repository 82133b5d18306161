"""Rendered patterns survive a kill; the split comes from the stack."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.learning import samples
from pacbed.learning.draws import DrawRanges, draw_parameters, render_draw
from pacbed.learning.samples import claim_folder, open_stack, rendered_samples, series_split

RANGES = DrawRanges((2.0, 9.0), (13.0, 14.0), (0.0, 2.0), (0.9, 1.1))
VIEW = {"pixels": 24, "max_angle_mrad": 21.0}


@pytest.fixture
def draw():
    return draw_parameters(10, RANGES, rng=np.random.default_rng(1))


def test_blocks_are_taken_up_again(renderer, draw, tmp_path, monkeypatch):
    """After a kill only the missing blocks are rendered, and the result is the same."""
    monkeypatch.setattr(samples, "BLOCK", 4)
    complete = rendered_samples(renderer, draw, folder=tmp_path, **VIEW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000.npy", "00001.npy", "00002.npy"]
    (tmp_path / "00001.npy").unlink()
    (tmp_path / "00001.part").write_bytes(b"killed here")
    rendered = []

    def counting(*args, **kwargs):
        rendered.append(len(args[1]))
        return render_draw(*args, **kwargs)

    monkeypatch.setattr(samples, "render_draw", counting)
    again = rendered_samples(renderer, draw, folder=tmp_path, **VIEW)
    assert rendered == [4]
    assert np.array_equal(again, complete)


def test_patterns_are_relative_to_their_maximum(renderer, draw, tmp_path):
    images = rendered_samples(renderer, draw, folder=tmp_path, **VIEW)
    assert images.dtype == np.float16
    np.testing.assert_allclose(images.max(axis=(1, 2)), 1.0)
    exact = render_draw(renderer, draw, **VIEW)
    np.testing.assert_allclose(images, exact / exact.max(axis=(1, 2), keepdims=True), atol=5e-4)


def test_folder_is_emptied_when_settings_change(tmp_path):
    folder = tmp_path / "state"
    claim_folder(folder, {"seed": 1})
    (folder / "work").write_text("begun")
    claim_folder(folder, {"seed": 1})
    assert (folder / "work").exists()
    claim_folder(folder, {"seed": 2})
    assert not (folder / "work").exists()


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


def test_incomplete_stack_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"done\.json"):
        open_stack(tmp_path)
