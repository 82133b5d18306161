"""Rows of diffraction patterns as pictures, and saving a figure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pacbed.outputs import file_aside


class Panel(NamedTuple):
    """A pattern of a row.

    Attributes
    ----------
    image : ndarray, shape (ky, kx)
        Square.
    title : str
    colours : str
        Name of Matplotlib's colour map.
    limits : tuple of float
        Values at the ends of the colour map.
    """

    image: np.ndarray
    title: str
    colours: str
    limits: tuple[float, float]


def draw_row(figure: Figure, axes: Iterable[Axes], panels: Iterable[Panel], *, half_mrad: float) -> None:
    """Draw square patterns side by side, each with its colour bar.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    axes : iterable of matplotlib.axes.Axes
        One for each pattern.
    panels : iterable of Panel
    half_mrad : float
        Half width of the patterns [mrad]; ticks are at round angles on both sides of the middle.
    """
    ticks = np.asarray(MaxNLocator(3, steps=(1, 2, 5, 10)).tick_values(0, half_mrad))
    tick = float(ticks[ticks <= half_mrad].max())
    for column, (axis, panel) in enumerate(zip(axes, panels, strict=True)):
        extent = (-half_mrad, half_mrad, half_mrad, -half_mrad)
        drawn = axis.imshow(panel.image, cmap=panel.colours, vmin=panel.limits[0], vmax=panel.limits[1], extent=extent)
        bar = figure.colorbar(drawn, ax=axis, shrink=0.8, ticks=MaxNLocator(5))
        bar.ax.tick_params(labelsize=7)
        bar.ax.yaxis.get_offset_text().set_fontsize(7)
        axis.set_title(panel.title, fontsize=8)
        axis.set_xticks([-tick, 0, tick])
        axis.set_yticks([-tick, 0, tick] if column == 0 else [])
        axis.tick_params(labelsize=7)
        if column == 0:
            axis.set_ylabel("mrad", fontsize=8)


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a picture as PNG; the file appears complete or not at all."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # ticks of a colour bar follow from its size, and the room that its labels need from its ticks
    with file_aside(path) as aside:
        canvas.print_figure(aside, format="png", dpi=110)
