"""Picture of a crystal: its published cell and, along a zone axis, what the beam sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pacbed.crystal.cell import Crystal
from pacbed.crystal.drawing.appearance import element_colours
from pacbed.crystal.drawing.columns import sites_of
from pacbed.crystal.drawing.directions import direction_indices, direction_label
from pacbed.crystal.drawing.legend import ROW_IN, draw_legend, legend_entries, legend_rows
from pacbed.crystal.drawing.projection import Field, draw_projection, field_around
from pacbed.crystal.drawing.unit_cell import draw_unit_cell
from pacbed.outputs import file_aside

DPI = 180
LEANS_A = 0.01
PANEL_IN, CELL_IN, TITLE_IN, NAMES_IN, MARGIN_IN = 3.3, 3.3, 0.4, 0.75, 0.15


class AlongBeam(NamedTuple):
    """A crystal along a zone axis.

    Attributes
    ----------
    zone_axis : tuple of int
        [uvw] of the published cell.
    oriented : Crystal
        Output of `orient`.
    vectors : ndarray, shape (3, 3)
        Its lattice vectors as rows, in units of those of the published cell.
    """

    zone_axis: tuple[int, int, int]
    oriented: Crystal
    vectors: np.ndarray


def draw_crystal(path: str | Path, crystal: Crystal, space_group: str, along: AlongBeam | None = None) -> None:
    """Draw the cell of a crystal and its projection; the file appears complete or not at all.

    Parameters
    ----------
    path : path
        PNG, PDF or SVG by its suffix.
    crystal : Crystal
        As published.
    space_group : str
        For the title.
    along : AlongBeam, optional
        What the beam sees; without, the cell alone is drawn.
    """
    colours = element_colours(crystal.symbols)
    field = None if along is None else field_around(along.oriented.cell)
    width = PANEL_IN * _aspect(field) if field else 0.0
    figure_width = CELL_IN + (width + 2 * MARGIN_IN if field else 0.0)
    rows = legend_rows(
        legend_entries((site.composition for site in sites_of(crystal)), colours), figure_width - 2 * MARGIN_IN
    )
    foot = MARGIN_IN + ROW_IN * len(rows)
    height = foot + NAMES_IN + PANEL_IN + TITLE_IN
    figure = Figure(figsize=(figure_width, height))
    FigureCanvasAgg(figure)
    left = figure.add_axes((0, foot / height, CELL_IN / figure_width, (NAMES_IN + PANEL_IN) / height))
    draw_unit_cell(left, crystal, colours)
    title_y = 1 - 0.6 * TITLE_IN / height
    title = f"{subscripts(crystal.formula)}, {space_group_label(space_group)}"
    figure.text(CELL_IN / 2 / figure_width, title_y, title, ha="center", fontsize=10)
    if along is not None:
        box = (CELL_IN + MARGIN_IN) / figure_width, (foot + NAMES_IN) / height, width / figure_width, PANEL_IN / height
        draw_projection(figure.add_axes(box), along.oriented, _axis_names(along, crystal), colours)
        seen = f"along {direction_label(along.zone_axis, crystal.cell)}, beam into the page"
        figure.text(box[0] + box[2] / 2, title_y, seen, ha="center", fontsize=10)
    draw_legend(figure, rows, colours, bottom_in=MARGIN_IN / 2)
    with file_aside(path) as aside:
        figure.savefig(aside, dpi=DPI)


def _axis_names(along: AlongBeam, crystal: Crystal) -> tuple[str, str]:
    """Directions of the two lattice vectors of the projection; those that lean along the beam are projected."""
    first, second = (
        direction_label(direction_indices(vector), crystal.cell) + (" proj." if abs(turned[2]) > LEANS_A else "")
        for vector, turned in zip(along.vectors[:2], along.oriented.cell[:2], strict=True)
    )
    return first, second


def _aspect(field: Field) -> float:
    """Width over height of the projection's panel; a longer field leaves part of it empty."""
    width, height = field.high - field.low
    return float(np.clip(width / height, 0.5, 1.8))


def subscripts(formula: str) -> str:
    """A formula as Matplotlib's mathtext."""
    return re.sub(r"(\d+(?:\.\d+)?)", r"$_{\1}$", formula)


def space_group_label(name: str) -> str:
    """A Hermann-Mauguin symbol with its screws and bars as mathtext; any other name as it is.

    Parameters
    ----------
    name : str
        Such as 'P 63/m m c' or 'R -3 c:H'.
    """
    if not re.fullmatch(r"[PABCIFR]( -?\d*(/?[a-ehmn])?)+(:\w+)?", name):
        return name
    symbol, _, _ = name.partition(":")
    barred = re.sub(r"-(\d)", r"\\bar{\1}", symbol)
    return "$" + re.sub(r"(\d)(\d)", r"\1_{\2}", barred).replace(" ", r"\,") + "$"
