"""The validation sheet: what was measured, what fits it best, what is left, and what the networks thought."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.image import AxesImage
from matplotlib.patches import Circle

from pacbed.analysis.predict import Analysis
from pacbed.analysis.report.network_curves import draw_curves
from pacbed.analysis.result import Estimate, Result, with_std
from pacbed.outputs import file_aside

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
}
INK = "#222222"
VERDICT_COLOURS = {"ok": "#2e7d32", "doubtful": "#d98200", "refused": "#b71c1c"}
WIDTH_INCHES, HEIGHT_INCHES, DPI = 7.2, 6.6, 200
CURVES_INCHES = 1.48  # of the height, without networks left out
REASON_WIDTH = 50  # characters
REASON_LINES = 8


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


LIGHT = Colours("inferno", 0.0, 1.0)
SIGNED = Colours("RdBu_r", -0.5, 0.5)  # the same span: one colour step means the same in all three


def draw_sheet(analysis: Analysis, path: str | Path) -> None:
    """Draw the sheet of a result as PNG; the file appears complete or not at all.

    Parameters
    ----------
    analysis : Analysis
        From `analyse`.
    path : path
        The file to write.
    """
    with rc_context(STYLE):
        figure = compose_sheet(analysis)
        with file_aside(path) as aside:
            figure.savefig(aside, format="png", dpi=DPI)


def compose_sheet(analysis: Analysis) -> Figure:
    """The sheet of a result as a figure, in the style that is set."""
    curves = bool(analysis.result.networks)
    height = HEIGHT_INCHES - (0 if curves else CURVES_INCHES)
    figure = Figure(figsize=(WIDTH_INCHES, height))
    FigureCanvasAgg(figure)
    sides: dict[str, Any] = {"left": 0.075, "right": 0.975}
    _draw_header(figure, analysis.result, 1 - 0.22 / height)
    images = figure.add_gridspec(
        2, 3, **sides, top=1 - 0.56 / height, bottom=1 - 3.37 / height, height_ratios=[1, 0.035], hspace=0.2,
        wspace=0.08,
    )  # fmt: skip
    _draw_images(figure, images, analysis)
    if curves:
        cells = figure.add_gridspec(
            1, 3, **sides, top=2.67 / height, bottom=1.75 / height, width_ratios=[2.1, 1, 1], wspace=0.12
        )
        draw_curves(figure, cells, analysis.result)
    _draw_text(figure.add_axes((0.075, 0.1 / height, 0.9, 1.19 / height)), analysis.result)
    return figure


def _draw_header(figure: Figure, result: Result, level: float) -> None:
    source = result.provenance
    figure.text(0.075, level, source.input, fontsize=10, fontweight="bold", color=INK, va="center")
    figure.text(
        0.875, level, f"{result.system} · {source.bundle_sha256[:10]} · pacbed {source.versions.get('pacbed', '')}",
        fontsize=6.5, color="#888888", va="center", ha="right",
    )  # fmt: skip
    figure.text(
        0.935, level, result.verdict.upper(), fontsize=8.5, fontweight="bold", color="white", va="center", ha="center",
        bbox={"boxstyle": "round,pad=0.35", "fc": VERDICT_COLOURS[result.verdict], "ec": "none"},
    )  # fmt: skip


def _draw_images(figure: Figure, cells: GridSpec, analysis: Analysis) -> None:
    extent = _extent_mrad(analysis)
    for column, panel in enumerate(_panels(analysis)):
        axes = figure.add_subplot(cells[0, column])
        colours, low, high = panel.colours
        drawn = axes.imshow(panel.image, extent=extent, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(panel.title, color=INK, pad=4)
        axes.tick_params(length=2.5, pad=2)
        if column:
            axes.set_yticklabels([])
        else:
            axes.set_ylabel("y, downwards (mrad)", labelpad=1)
        axes.set_xlabel("x (mrad)", labelpad=1)
        _mark_disk(axes, analysis, dark_background=panel.dark)
        if column == 1:
            _draw_scale(figure, drawn, cells[1, :2], "intensity, brightest of the best match = 1")
        elif column == 2:
            _draw_scale(figure, drawn, cells[1, 2], "difference")


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


def _extent_mrad(analysis: Analysis) -> tuple[float, float, float, float]:
    """Left, right, lower and upper edge of the pictures from the optic axis, y downwards [mrad]."""
    cutout = analysis.model.cutout
    geometry = cutout.geometry(analysis.parameters, mirrored=analysis.model.mirrored)
    (cx, cy), pixel, (ny, nx) = geometry.center_px, geometry.pixel_mrad, cutout.values.shape
    return (-0.5 - cx) * pixel, (nx - 0.5 - cx) * pixel, (ny - 0.5 - cy) * pixel, (-0.5 - cy) * pixel


def _draw_scale(figure: Figure, drawn: AxesImage, cell: SubplotSpec, label: str) -> None:
    bar = figure.colorbar(drawn, cax=figure.add_subplot(cell), orientation="horizontal")
    bar.ax.tick_params(length=2, labelsize=6.5, pad=2)
    bar.set_label(label, labelpad=1)


def _mark_disk(axes: Axes, analysis: Analysis, *, dark_background: bool) -> None:
    """Rim of the direct disk, and the mistilt as an arrow from the optic axis, true to scale."""
    ink = "white" if dark_background else INK
    radius = analysis.parameters.convergence_mrad
    axes.add_patch(Circle((0, 0), radius, fill=False, ec=ink, lw=0.6, ls=(0, (4, 3)), alpha=0.7))
    x, y, azimuth = (getattr(analysis.result, f"mistilt_{name}") for name in ("x_mrad", "y_mrad", "azimuth_deg"))
    if azimuth is not None and dark_background:
        arrow = {"arrowstyle": "-|>", "color": "#4fd1ff", "lw": 1.3, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8}
        axes.annotate("", (x.value, y.value), (0, 0), arrowprops=arrow)
    axes.plot(0, 0, "+", color="#4fd1ff" if dark_background else INK, ms=4, mew=0.8)


def _draw_text(axes: Axes, result: Result) -> None:
    axes.axis("off")
    for index, (name, text) in enumerate((name, text) for name, text in _numbers(result) if text):
        height = 1.0 - 0.128 * index
        bold = "bold" if index == 0 else "normal"
        axes.text(0.0, height, name, va="top", color="#777777", transform=axes.transAxes)
        axes.text(0.125, height, text, va="top", color=INK, fontweight=bold, transform=axes.transAxes)
    reasons = result.reasons or ["nothing speaks against this result"]
    wrapped = [line for text in reasons for line in textwrap.wrap(f"• {text}", REASON_WIDTH, subsequent_indent="   ")]
    if len(wrapped) > REASON_LINES:
        wrapped = [*wrapped[: REASON_LINES - 1], "   … more in the JSON file"]
    axes.text(0.555, 1.0, "\n".join(wrapped), va="top", color=INK, linespacing=1.3, transform=axes.transAxes)


def _numbers(result: Result) -> list[tuple[str, str]]:
    """Names and texts of the lines on the left."""
    thickness, azimuth, rotation = result.thickness_nm, result.mistilt_azimuth_deg, result.rotation_deg
    noise, shares = result.provenance.parameters["misfit_of_noise"], ""
    if thickness is not None and thickness.std_statistical is not None and thickness.std_model is not None:
        shares = f"this pattern {thickness.std_statistical:.2f} nm, simulation {thickness.std_model:.2f} nm"
    found = ", ".join(f"{one.value:.0f} nm ({100 * one.probability:.0f} %)" for one in result.thickness_candidates)
    towards = f" towards {azimuth.value:.0f}°" if azimuth else ""
    return [
        ("thickness", _with_unit(thickness, " nm", 2)),
        ("of which", shares),
        ("mistilt", _with_unit(result.mistilt_mrad, " mrad", 2) + towards),
        ("convergence", _with_unit(result.convergence_mrad, " mrad", 2)),
        ("pixel", _with_unit(result.pixel_mrad, " mrad", 4)),
        ("rotation", _with_unit(rotation, "°", 1) + (f" modulo {rotation.modulo_deg:g}°" if rotation else "")),
        ("misfit", "" if result.misfit is None else f"{result.misfit:.3f}, noise alone {noise or 0:.3f}"),
        ("networks", found or "none in this bundle"),
    ]


def _with_unit(estimate: Estimate | None, unit: str, digits: int) -> str:
    return "" if estimate is None else with_std(estimate, digits) + unit
