"""The projection: where columns are drawn, which way the axes run, and how long the bar is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from pacbed.crystal.cif import read_cif
from pacbed.crystal.drawing.appearance import element_colours
from pacbed.crystal.drawing.projection import BARS_NM, draw_projection, field_around
from pacbed.crystal.orientation import orient

ROOT = Path(__file__).parents[4]
DATA = ROOT / "tests" / "unit" / "crystal" / "data"


def drawn(path, axis):
    oriented = orient(read_cif(path), axis)
    axes = Figure().add_subplot()
    colours = element_colours(oriented.symbols)
    draw_projection(axes, oriented, ("first", "second"), colours)
    return oriented, axes, colours


def test_discs_lie_where_the_atoms_are_and_y_runs_down_as_in_patterns():
    oriented, axes, colours = drawn(DATA / "material_gan.cif", (1, 1, -2, 0))
    assert axes.yaxis_inverted() and not axes.xaxis_inverted()
    for symbol, colour in colours.items():
        atoms = oriented.positions[np.array(oriented.symbols) == symbol, :2]
        discs = [patch for patch in axes.patches if isinstance(patch, Circle) and patch.get_facecolor() == rgba(colour)]
        centers = np.array([disc.center for disc in discs]) @ np.linalg.inv(oriented.cell[:2, :2])
        offset = centers[:, None] - atoms @ np.linalg.inv(oriented.cell[:2, :2])
        np.testing.assert_allclose(np.abs(offset - np.round(offset)).max(axis=-1).min(axis=1), 0, atol=1e-6)
        assert len(discs) >= 2 * len(atoms)


def rgba(colour):
    from matplotlib.colors import to_rgba

    return to_rgba(colour)


@pytest.mark.parametrize(("path", "axis"), [
    (ROOT / "structures" / "srtio3.cif", (0, 0, 1)), (ROOT / "structures" / "beryl.cif", (0, 0, 1)),
    (DATA / "material_hfo2.cif", (1, 2, 3)),
])  # fmt: skip
def test_the_field_holds_the_cell_and_a_bar_in_nm(path, axis):
    oriented, axes, _ = drawn(path, axis)
    field = field_around(oriented.cell)
    outline, bar = axes.lines[0].get_xydata(), axes.lines[1].get_xydata()
    assert np.all(outline > field.low) and np.all(outline < field.high)
    area = 0.5 * abs(np.sum(outline[:-1, 0] * outline[1:, 1] - outline[1:, 0] * outline[:-1, 1]))
    assert area == pytest.approx(oriented.volume_a3 / oriented.cell[2, 2], rel=1e-6)
    length = np.ptp(bar[:, 0])
    texts = [text.get_text() for text in axes.texts]
    assert f"{length / 10:g} nm" in texts and round(length / 10, 6) in BARS_NM
    assert 0.1 < length / (field.high - field.low)[0] <= 0.4
    assert {"first", "second"} <= set(texts)
