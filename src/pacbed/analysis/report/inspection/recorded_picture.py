"""The picture of a recording as a prediction would use it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import MaxNLocator

from pacbed.analysis.report.inspection.recorded import Look, ScanLook
from pacbed.errors import bad_value
from pacbed.outputs import file_aside

PICTURES = (".png", ".pdf", ".svg")
INK, MARK = "#222222", "#27c0ff"
MARKED = 400  # repaired pixels that are shown; of more, a part


def check_picture(out: Path) -> None:
    """Refuse a name that is no picture, or a file that would be lost.

    Raises
    ------
    ParameterError
    """
    if out.suffix.lower() not in PICTURES:
        raise bad_value("out", str(out), f"a picture that ends in {', '.join(PICTURES)}")
    if out.exists():
        raise bad_value("out", str(out), "the name of a new file; this one exists")


def draw_recorded(look: Look, out: Path) -> None:
    """Draw the repaired pattern with bright region and repaired pixels, its profile, and the brightness of a scan.

    Parameters
    ----------
    look : Look
    out : Path
        See `check_picture`; the file appears complete or not at all.
    """
    panels = 2 if look.scan is None else 3
    figure = Figure(figsize=(3.5 * panels, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, panels)
    _draw_pattern(figure, axes[0], look)
    _draw_profile(axes[1], look)
    if look.scan is not None:
        _draw_scan(figure, axes[2], look.scan)
    figure.suptitle(look.pattern.source, fontsize=9, fontweight="bold", color=INK)
    with file_aside(out) as aside:
        figure.savefig(aside, dpi=150)


def _draw_pattern(figure: Figure, axes: Axes, look: Look) -> None:
    outline = look.outline
    low, high = np.percentile(look.array, [1, 99.8])
    drawn = axes.imshow(look.array, cmap="inferno", vmin=low, vmax=max(high, low + 1e-6), interpolation="nearest")
    figure.colorbar(drawn, ax=axes, shrink=0.75).ax.tick_params(labelsize=7)
    axes.add_patch(Circle(outline.center_px, outline.radius_px, fill=False, color=MARK, linewidth=1.2, linestyle="--"))
    axes.plot(*outline.center_px, "+", color=MARK, markersize=8)
    rows, columns = np.nonzero(look.array != look.pattern.array)
    if len(rows):
        shown = slice(None, None, -(-len(rows) // MARKED))
        axes.plot(columns[shown], rows[shown], "s", color="lime", markersize=5, fillstyle="none", markeredgewidth=0.7)
    axes.set_xlim(-0.5, look.array.shape[1] - 0.5)
    axes.set_ylim(look.array.shape[0] - 0.5, -0.5)
    axes.set_title(f"bright region (dashed), {look.defects} pixels repaired (squares)", fontsize=8)
    axes.set_xlabel("pixel x", fontsize=8)
    axes.set_ylabel("pixel y", fontsize=8)
    axes.tick_params(labelsize=7)


def _draw_profile(axes: Axes, look: Look) -> None:
    """Mean count by distance from the centre: a disk has an edge where the bright region ends."""
    (cx, cy), (ny, nx) = look.outline.center_px, look.array.shape
    distance = np.hypot(np.arange(nx) - cx, (np.arange(ny) - cy)[:, None]).ravel().astype(int)
    counts = np.bincount(distance)
    mean = np.bincount(distance, look.array.ravel().astype(float)) / np.maximum(counts, 1)
    axes.plot(np.arange(len(mean))[counts > 0], mean[counts > 0], color=INK, linewidth=1)
    axes.axvline(look.outline.radius_px, color=MARK, linestyle="--", linewidth=1.2)
    axes.set_title("mean count by distance from the centre", fontsize=8)
    axes.set_xlabel("distance [pixel]", fontsize=8)
    axes.tick_params(labelsize=7)
    pixel = look.pattern.calibration.pixel_mrad
    if pixel is not None:
        top = axes.secondary_xaxis("top", functions=(partial(np.multiply, pixel), partial(np.multiply, 1 / pixel)))
        top.set_xlabel("mrad", fontsize=8)
        top.tick_params(labelsize=7)


def _draw_scan(figure: Figure, axes: Axes, scan: ScanLook) -> None:
    rows, columns = scan.shape
    axes.set_facecolor("0.8")
    extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)
    image = np.ma.masked_invalid(scan.brightness)
    drawn = axes.imshow(image, cmap="viridis", extent=extent, interpolation="nearest", aspect="auto")
    figure.colorbar(drawn, ax=axes, shrink=0.75).ax.tick_params(labelsize=7)
    axes.set_title(f"mean count of {image.count()} of {rows * columns} positions", fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_xlabel("scan position x", fontsize=8)
    axes.set_ylabel("scan position y", fontsize=8)
    axes.tick_params(labelsize=7)
