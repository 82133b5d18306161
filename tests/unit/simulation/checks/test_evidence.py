"""Pictures are there when they should be, and show what they are given."""

from __future__ import annotations

import matplotlib.image
import numpy as np

from pacbed.simulation.checks.evidence import ComparedPatterns, draw_checks, draw_comparisons, draw_reason


def _colours(path):
    """Share of reddish, greenish and bluish pixels of a picture."""
    red, green, blue = np.moveaxis(matplotlib.image.imread(path)[..., :3], -1, 0)
    return np.mean(red > green + 0.3), np.mean(green > red + 0.2), np.mean(blue > red + 0.3)


def _compared(table):
    direct = np.ones((20, 20))
    return ComparedPatterns(direct, table, 10.0, ("scan", "table", "difference"))


def test_each_comparison_is_a_row(tmp_path):
    one, three = tmp_path / "one.png", tmp_path / "three.png"
    draw_comparisons([_compared(np.ones((20, 20)))], one)
    draw_comparisons([_compared(np.ones((20, 20)))] * 3, three)
    heights = [len(matplotlib.image.imread(path)) for path in (one, three)]
    assert heights[1] == 3 * heights[0]


def test_a_table_that_says_more_is_red_and_one_that_says_less_is_blue(tmp_path):
    more, less, same = (np.full((20, 20), value) for value in (1.2, 0.8, 1.0))
    for name, table in (("more", more), ("less", less), ("same", same)):
        draw_comparisons([_compared(table)], tmp_path / f"{name}.png")
    red, blue, grey = (_colours(tmp_path / f"{name}.png") for name in ("more", "less", "same"))
    assert red[0] > grey[0] + 0.05
    assert blue[2] > grey[2] + 0.05


def test_pixels_outside_the_field_do_not_spoil_a_picture(tmp_path):
    table = np.full((20, 20), 1.2)
    table[:3] = np.nan
    direct = np.where(np.isnan(table), np.nan, 1.0)
    draw_comparisons([_compared(table)._replace(direct=direct)], tmp_path / "field.png")
    assert _colours(tmp_path / "field.png")[0] > 0.05


def test_checks_are_green_or_red(tmp_path):
    good = {"name": "grid", "what": "relative L2", "worst": 1e-3, "tolerance": 2e-3}
    figures = {"thicknesses_nm": [50.0, 100.0]}
    draw_checks({**figures, "checks": [good, good]}, tmp_path / "good.png")
    draw_checks({**figures, "checks": [good, {**good, "worst": 0.5}]}, tmp_path / "bad.png")
    assert _colours(tmp_path / "good.png")[0] < 1e-3 < 0.02 < _colours(tmp_path / "good.png")[1]
    assert _colours(tmp_path / "bad.png")[0] > 0.02


def test_a_reason_fills_a_picture_of_its_own(tmp_path):
    draw_reason("cell_a: no rectangle " * 20, tmp_path / "reason.png")
    picture = matplotlib.image.imread(tmp_path / "reason.png")[..., :3]
    dark = np.argwhere(picture.min(axis=-1) < 0.5)
    margin = np.array(picture.shape[:2]) * 0.02
    assert np.all(dark.min(axis=0) > margin)
    assert np.all(dark.max(axis=0) < np.array(picture.shape[:2]) - margin)  # wrapped, not cut off
