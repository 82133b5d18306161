"""The picture of a thickness map: thickness, its uncertainty, the mistilt as arrows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pacbed.analysis.maps import VERDICTS, ThicknessMap
from pacbed.outputs import file_aside

REFUSED = VERDICTS.index("refused")  # from this verdict code on, a window counts as a hole
ARROWS = 24  # along the longer edge, at most
PANEL_INCHES = 3.6


def draw_map(found: ThicknessMap, out_png: str | Path, *, window: int) -> None:
    """Draw and write the picture.

    Parameters
    ----------
    found : ThicknessMap
    out_png : path
        File to write.
    window : int
        Scan positions along the edge of a window; the axes count scan positions.
    """
    rows, columns = found.thickness_nm.shape
    height = PANEL_INCHES * float(np.clip(rows / columns, 0.25, 3))
    figure = Figure(figsize=(3 * PANEL_INCHES + 1.5, height + 1.2), layout="constrained")
    axes = figure.subplots(1, 3)
    believed = found.verdict < REFUSED
    extent = (-0.5, columns * window - 0.5, rows * window - 0.5, -0.5)
    _panel(axes[0], np.where(believed, found.thickness_nm, np.nan), extent, "viridis", "thickness [nm]")
    _panel(axes[1], np.where(believed, found.thickness_std_nm, np.nan), extent, "magma", "standard deviation [nm]")
    tilt = np.hypot(found.mistilt_x_mrad, found.mistilt_y_mrad)
    _panel(
        axes[2], np.where(believed, tilt, np.nan), extent, "cividis", "mistilt [mrad], arrows in the patterns' frame"
    )
    _arrows(axes[2], found, believed, window)
    figure.suptitle(
        f"{rows} x {columns} windows of {window} x {window} scan positions, {int((~believed).sum())} refused (grey)",
        fontsize=9,
    )
    with file_aside(out_png) as aside:
        figure.savefig(aside, dpi=130)


def _panel(axis: Axes, values: np.ndarray, extent: tuple[float, float, float, float], colours: str, title: str) -> None:
    axis.set_facecolor("0.8")
    known = values[np.isfinite(values)]
    limits: dict[str, Any] = {}
    if known.size:
        low, high = np.percentile(known, [1, 99])  # one wrong basin must not flatten the rest
        limits = {"vmin": low, "vmax": max(high, low + 1e-6)}
    image = axis.imshow(np.ma.masked_invalid(values), cmap=colours, extent=extent, interpolation="nearest", **limits)
    figure = axis.get_figure()
    if figure is not None:
        figure.colorbar(image, ax=axis, fraction=0.046, pad=0.03, extend="both")
    axis.set_title(title, fontsize=9)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("scan position x", fontsize=8)
    axis.set_ylabel("scan position y", fontsize=8)


def _arrows(axis: Axes, found: ThicknessMap, believed: np.ndarray, window: int) -> None:
    """One arrow per block of windows, as long as a block for the largest tilt shown."""
    step = max(1, -(-max(found.thickness_nm.shape) // ARROWS))
    every = (slice(step // 2, None, step), slice(step // 2, None, step))
    rows, columns = (np.arange(size) * window + (window - 1) / 2 for size in found.thickness_nm.shape)
    row, column = (grid[every] for grid in np.meshgrid(rows, columns, indexing="ij"))
    x, y = found.mistilt_x_mrad[every], found.mistilt_y_mrad[every]
    shown = believed[every] & np.isfinite(x) & np.isfinite(y)
    if not shown.any():
        return
    longest = max(float(np.hypot(x[shown], y[shown]).max()), 1e-6)
    axis.quiver(
        column[shown], row[shown], x[shown], y[shown], angles="xy", scale_units="xy", scale=longest / (step * window),
        color="white", edgecolor="black", linewidth=0.4, width=0.008, pivot="mid",
    )  # fmt: skip
