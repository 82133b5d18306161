"""Strips of patterns: rendered once, by a worker, for the bundle that is meant."""

import io
from pathlib import Path

import anyio
import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.analysis.render import render
from pacbed.bundle.meta import Ranges
from pacbed.errors import FormatError
from pacbed.service.workers.strips import COUNT, FIELD, PIXELS, Strips, draw_strip, strip_angle_mrad, strip_thicknesses


class Recorder:
    """Calls in place what a pool would hand to a process, and counts."""

    def __init__(self):
        self.calls = 0

    async def call(self, owner, task, *arguments):
        self.calls += 1
        await anyio.sleep(0.01)
        return task(*arguments)


@pytest.mark.parametrize(
    ("thickness_nm", "expected"),
    [
        ((1.0, 120.0), [15, 30, 45, 60, 75, 90, 105, 120]),
        ((1.0, 60.0), [8, 15, 22, 30, 38, 45, 52, 60]),
        ((2.0, 10.0), [2.0, 2.5, 3.8, 5.0, 6.2, 7.5, 8.8, 10.0]),
    ],
)
def test_thicknesses_reach_to_the_largest(thickness_nm, expected):
    trained = Ranges(thickness_nm=thickness_nm, convergence_mrad=(8, 20), mistilt_mrad=(0, 5))
    assert strip_thicknesses(trained) == expected and strip_angle_mrad(trained) == 14


def test_a_picture_is_the_rendered_pattern(tiny_bundle, tmp_path):
    draw_strip(tiny_bundle.path, tiny_bundle.sha256, tmp_path / "strip")
    pictures = [iio.imread(tmp_path / "strip" / f"{number}.png") for number in range(COUNT)]
    assert {picture.shape for picture in pictures} == {(PIXELS, PIXELS)} and pictures[0].dtype == np.uint8
    trained = tiny_bundle.meta.trained
    angle = strip_angle_mrad(trained)
    image = render(
        tiny_bundle, thickness_nm=strip_thicknesses(trained)[3], convergence_mrad=angle, pixels=PIXELS,
        max_angle_mrad=min(FIELD * angle, tiny_bundle.renderer.field_mrad),
    )  # fmt: skip
    np.testing.assert_allclose(pictures[3] / 255, image / image.max(), atol=0.003)
    assert np.abs(pictures[0].astype(float) - pictures[-1]).max() > 20


def test_many_who_ask_at_the_same_time_wait_for_one(tiny_bundle, tmp_path):
    pool = Recorder()
    strips = Strips(pool, tmp_path)
    found: dict[int, Path] = {}

    async def ask(number):
        found[number] = await strips.picture(tiny_bundle.path, tiny_bundle.sha256, number, "alice")

    async def everybody():
        async with anyio.create_task_group() as group:
            for number in range(COUNT):
                group.start_soon(ask, number)

    anyio.run(everybody)
    assert pool.calls == 1 and all(path.is_file() for path in found.values()) and len(found) == COUNT
    anyio.run(ask, 2)
    assert pool.calls == 1 and iio.imread(io.BytesIO(found[2].read_bytes())).shape == (PIXELS, PIXELS)


def test_another_bundle_of_the_name_leaves_nothing(tiny_bundle, tmp_path):
    strips = Strips(Recorder(), tmp_path)
    with pytest.raises(FormatError, match="was replaced"):
        anyio.run(strips.picture, tiny_bundle.path, "0" * 64, 1, "alice")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
