"""Recorded pattern, best match and their difference, with the direct disk, its centre and the zone axis."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.image import AxesImage
from matplotlib.patches import Polygon

from pacbed.analysis.predict import Analysis

INK, MARK = "#222222", "#4fd1ff"
ARROW_MRAD = 0.6  # a shorter mistilt is seen from cross and plus alone
RIM_POINTS, TICKS = 181, 6


class Colours(NamedTuple):
    """A colour map and the values at its ends."""

    name: str
    lowest: float
    highest: float


class Panel(NamedTuple):
    """One picture of the sheet; `image` has shape (y, x), and NaN where nothing is compared."""

    title: str
    image: np.ndarray
    colours: Colours
    dark: bool


class Extent(NamedTuple):
    """Edges of a picture from the optic axis, y downwards [mrad]."""

    left: float
    right: float
    lower: float
    upper: float


LIGHT = Colours("inferno", 0.0, 1.0)
SIGNED = Colours("RdBu_r", -0.25, 0.25)  # half the span: what matters is small


def draw_pictures(figure: Figure, cells: GridSpec, analysis: Analysis) -> None:
    """Draw the three pictures side by side, in one unit.

    Parameters
    ----------
    figure : Figure
    cells : GridSpec
        Two rows, for pictures and colour bars, of three columns.
    analysis : Analysis
    """
    extent = _extent_mrad(analysis)
    for column, panel in enumerate(_panels(analysis)):
        axes = figure.add_subplot(cells[0, column])
        colours, low, high = panel.colours
        drawn = axes.imshow(panel.image, extent=extent, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(panel.title, color=INK, pad=4)
        axes.tick_params(length=2.5, pad=2)
        axes.locator_params(nbins=TICKS)
        if column:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel("y, downwards (mrad)", labelpad=1)
        axes.set_xlabel("x (mrad)", labelpad=1)
        _mark(axes, analysis, dark_background=panel.dark)
        axes.set(xlim=extent[:2], ylim=extent[2:])
        if column == 1:
            _draw_scale(figure, drawn, cells[1, :2], "intensity, brightest of the best match = 1")
        elif column == 2:
            _draw_scale(figure, drawn, cells[1, 2], "difference, in the same unit")


def _panels(analysis: Analysis) -> tuple[Panel, Panel, Panel]:
    """Recorded pattern, best match and their difference, in units of the brightest of the best match."""
    cutout, model = analysis.model.cutout, analysis.model.image(analysis.parameters)
    measured, best = (np.where(cutout.mask, image, np.nan) for image in (cutout.values, model))
    top = float(np.nanpercentile(best, 99.8))
    measured, best = measured / top, best / top
    return (
        Panel("measured", measured, LIGHT, dark=True),
        Panel("best match", best, LIGHT, dark=True),
        Panel("measured − best match", measured - best, SIGNED, dark=False),
    )


def _extent_mrad(analysis: Analysis) -> Extent:
    cutout = analysis.model.cutout
    geometry = cutout.geometry(analysis.parameters, mirrored=analysis.model.mirrored)
    (cx, cy), pixel, (ny, nx) = geometry.center_px, geometry.pixel_mrad, cutout.values.shape
    return Extent((-0.5 - cx) * pixel, (nx - 0.5 - cx) * pixel, (ny - 0.5 - cy) * pixel, (-0.5 - cy) * pixel)


def _draw_scale(figure: Figure, drawn: AxesImage, cell: SubplotSpec, label: str) -> None:
    bar = figure.colorbar(drawn, cax=figure.add_subplot(cell), orientation="horizontal")
    bar.ax.tick_params(length=2, labelsize=6.5, pad=2)
    bar.set_label(label, labelpad=1)


def _mark(axes: Axes, analysis: Analysis, *, dark_background: bool) -> None:
    """Rim and centre of the direct disk, the zone axis as a cross, and from it the mistilt as an arrow, to scale.

    All are distorted as the picture is.
    """
    ink = "white" if dark_background else INK
    geometry = analysis.parameters.geometry((1, 1), mirrored=analysis.model.mirrored)
    turn = np.linspace(0, 2 * np.pi, RIM_POINTS)
    rim_mrad = geometry.distorted(analysis.parameters.convergence_mrad * np.array([np.cos(turn), np.sin(turn)]))
    axes.add_patch(Polygon(rim_mrad.T, fill=False, ec=ink, lw=0.6, ls=(0, (4, 3)), alpha=0.7))
    colour, rim = (MARK, [patheffects.withStroke(linewidth=2.2, foreground="black")]) if dark_background else (INK, [])
    axis = geometry.distorted(-analysis.parameters.mistilt_in_image(mirrored=analysis.model.mirrored))
    marks: dict[str, Any] = {"color": colour, "path_effects": rim, "ls": "none", "zorder": 4}
    if dark_background and np.hypot(*axis) > ARROW_MRAD:
        arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.1, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7}
        axes.annotate("", (0, 0), tuple(axis), arrowprops=arrow | {"path_effects": rim})
    axes.plot(0, 0, "+", ms=5, mew=0.9, label="beam", **marks)
    axes.plot(*axis, "x", ms=4.5, mew=1.1, label="zone axis", **marks)
