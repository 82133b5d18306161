"""The cell as it is drawn: sites on faces on both of them, lines between first neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from pacbed.crystal.cif import read_cif
from pacbed.crystal.drawing.appearance import element_colours
from pacbed.crystal.drawing.unit_cell import draw_unit_cell

ROOT = Path(__file__).parents[4]
EDGES, NAMES = 12, 3


def drawn(path):
    crystal = read_cif(path)
    axes = Figure().add_subplot()
    draw_unit_cell(axes, crystal, element_colours(crystal.symbols))
    return axes


@pytest.mark.parametrize(("path", "discs", "bonds"), [
    ("structures/srtio3.cif", 8 + 1 + 6, 6),  # Sr at the corners, Ti inside, O on the faces; an octahedron
    ("structures/rutile.cif", 8 + 1 + 6, 6 + 8),  # Ti at corners and inside; an octahedron, and one O of each corner
    ("tests/unit/crystal/data/material_si.cif", 18, 16),  # diamond: 8 corners, 6 faces, 4 inside with 4 bonds each
])  # fmt: skip
def test_cells_of_textbooks(path, discs, bonds):
    axes = drawn(ROOT / path)
    assert len([patch for patch in axes.patches if isinstance(patch, Circle)]) == discs
    assert len(axes.lines) - EDGES - NAMES == bonds
    assert [text.get_text() for text in axes.texts] == ["a", "b", "c"]


def test_c_runs_up_and_b_to_the_right_and_nearer_atoms_hide_farther_ones():
    axes = drawn(ROOT / "structures/srtio3.cif")
    a, b, c = (np.array(text.get_position()) for text in axes.texts)
    assert c[1] > abs(c[0]) and b[0] > abs(b[1])
    assert a[0] < 0 and a[1] < 0, "a towards the reader, seen from above"
    corners = sorted((patch for patch in axes.patches if patch.get_radius() > 0.5), key=lambda patch: patch.center[1])
    assert corners[0].get_zorder() > corners[1].get_zorder()
