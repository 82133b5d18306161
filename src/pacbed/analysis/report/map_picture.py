"""The picture of a thickness map: thickness, its error, tilts on a bright-field image, misfit, verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from pacbed.analysis.maps.answer import REFUSED, VERDICTS
from pacbed.analysis.maps.stored import ThicknessMap
from pacbed.outputs import file_aside

ARROWS = 14  # along the longer edge, at most
PANEL_INCHES = 3.4
COLOURS = {"ok": "#2b8a5f", "doubtful": "#e8b33a", "refused": "#c2412d", "unusable": "0.55", "vacuum": "#dbe7f5"}
HOLE = "0.8"  # grey of windows that show nothing
BAR_SHARE = 0.25  # of the map's width that a scale bar may be long
ROUND = (1, 2, 5)


class Frame(NamedTuple):
    """Where the windows lie.

    Attributes
    ----------
    extent : tuple of float
        Left, right, bottom and top edge, in the unit.
    step : float
        Edge of a window, in the unit.
    unit : str
        "nm", or "scan positions" where their distance is not known.
    """

    extent: tuple[float, float, float, float]
    step: float
    unit: str


def draw_map(found: ThicknessMap, out_png: str | Path, *, window: int, step_nm: float | None = None) -> None:
    """Draw and write the picture.

    Parameters
    ----------
    found : ThicknessMap
    out_png : path
        File to write.
    window : int
        Scan positions along the edge of a window.
    step_nm : float, optional
        Distance of neighbouring scan positions [nm]; without it the axes count scan positions.
    """
    rows, columns = found.thickness_nm.shape
    step = window * (1.0 if step_nm is None else step_nm)
    frame = Frame((0, columns * step, rows * step, 0), step, "scan positions" if step_nm is None else "nm")
    height = 0.78 * PANEL_INCHES * float(np.clip(rows / columns, 0.25, 2))
    figure = Figure(figsize=(3 * PANEL_INCHES + 1.5, 2 * height + 1.5), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    shown = found.verdict < REFUSED
    _panel(axes[0], np.where(shown, found.thickness_nm, np.nan), frame, "viridis", "thickness [nm]")
    _scale_bar(axes[0], frame)
    _panel(axes[1], np.where(shown, found.thickness_std_nm, np.nan), frame, "magma", "standard deviation [nm]")
    _tilts(axes[2], found, shown, frame)
    _panel(axes[3], np.where(shown, found.misfit, np.nan), frame, "cividis", "misfit")
    _panel(axes[4], np.where(shown, found.chi_square, np.nan), frame, "cividis", "structure of the residual (1: noise)")
    _verdicts(axes[5], found.verdict, frame)
    size = f"{step:g} nm" if step_nm is not None else f"{window} x {window} scan positions"
    hidden = int(np.isin(found.verdict, [VERDICTS.index(name) for name in ("refused", "unusable")]).sum())
    empty = int((found.verdict == VERDICTS.index("vacuum")).sum())
    told = [
        f"{rows} x {columns} windows of {size}",
        f"{hidden} refused (grey)",
        *([f"{empty} vacuum"] if empty else []),
    ]
    figure.suptitle(", ".join(told), fontsize=9)
    with file_aside(out_png) as aside:
        figure.savefig(aside, dpi=130)


def _panel(axis: Axes, values: np.ndarray, frame: Frame, colours: str, title: str) -> None:
    axis.set_facecolor(HOLE)
    known = values[np.isfinite(values)]
    limits: dict[str, Any] = {}
    if known.size:
        low, high = np.percentile(known, [1, 99])  # one wrong basin must not flatten the rest
        limits = {"vmin": low, "vmax": max(high, low + 1e-6)}
    image = axis.imshow(
        np.ma.masked_invalid(values), cmap=colours, extent=frame.extent, interpolation="nearest", **limits
    )
    figure = axis.get_figure()
    if figure is not None:
        bar = figure.colorbar(image, ax=axis, fraction=0.046, pad=0.03, extend="both")
        bar.ax.tick_params(labelsize=7)
    _label(axis, frame, title)


def _label(axis: Axes, frame: Frame, title: str) -> None:
    axis.set_title(title, fontsize=9)
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.tick_params(labelsize=7)
    axis.set_xlabel(f"x [{frame.unit}]", fontsize=8)
    axis.set_ylabel(f"y [{frame.unit}]", fontsize=8)


def _scale_bar(axis: Axes, frame: Frame) -> None:
    """A bar of a round length, on white, where the unit is a length."""
    if frame.unit != "nm":
        return
    width, height = frame.extent[1], frame.extent[2]
    longest = BAR_SHARE * width
    power = 10 ** np.floor(np.log10(longest))
    length = max(number * power for number in ROUND if number * power <= longest)
    left, below = 0.04 * width, 0.95 * height
    axis.add_patch(
        Rectangle((left, below - 0.11 * height), length + 0.04 * width, 0.13 * height, color="white", alpha=0.8, lw=0)
    )
    axis.plot([left + 0.02 * width, left + 0.02 * width + length], [below, below], color="black", lw=3)
    axis.text(
        left + 0.02 * width + length / 2, below - 0.02 * height, f"{length:g} nm", ha="center", va="bottom", fontsize=7
    )


def _tilts(axis: Axes, found: ThicknessMap, shown: np.ndarray, frame: Frame) -> None:
    """Mistilt as arrows on the bright-field image, one per block of windows; the key says how long a mrad is."""
    axis.set_facecolor(HOLE)
    axis.imshow(np.ma.masked_invalid(found.bright_field), cmap="gray", extent=frame.extent, interpolation="nearest")
    _label(axis, frame, "bright field, mistilt in the patterns' frame")
    step = max(1, -(-max(found.thickness_nm.shape) // ARROWS))
    every = (slice(step // 2, None, step), slice(step // 2, None, step))
    rows, columns = ((np.arange(size) + 0.5) * frame.step for size in found.thickness_nm.shape)
    row, column = (grid[every] for grid in np.meshgrid(rows, columns, indexing="ij"))
    x, y = found.mistilt_x_mrad[every], found.mistilt_y_mrad[every]
    drawn = shown[every] & np.isfinite(x) & np.isfinite(y)
    if not drawn.any():
        return
    longest = max(float(np.hypot(x[drawn], y[drawn]).max()), 1e-6)
    arrows = axis.quiver(
        column[drawn], row[drawn], x[drawn], y[drawn], angles="xy", scale_units="xy",
        scale=longest / (step * frame.step), color="#ff8c1a", edgecolor="black", linewidth=0.4, width=0.009,
        pivot="mid",
    )  # fmt: skip
    key = float(f"{longest:.1g}")
    axis.quiverkey(
        arrows, 0.82, 1.14, key, f"{key:g} mrad", labelpos="E", fontproperties={"size": 7}, coordinates="axes"
    )


def _verdicts(axis: Axes, verdict: np.ndarray, frame: Frame) -> None:
    colours = ListedColormap([COLOURS[name] for name in VERDICTS])
    norm = BoundaryNorm(np.arange(len(VERDICTS) + 1) - 0.5, len(VERDICTS))
    axis.imshow(verdict, cmap=colours, norm=norm, extent=frame.extent, interpolation="nearest")
    present = [name for code, name in enumerate(VERDICTS) if (verdict == code).any()]
    patches = [
        Patch(color=COLOURS[name], label=f"{name} {(verdict == VERDICTS.index(name)).sum()}") for name in present
    ]
    axis.legend(handles=patches, fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    _label(axis, frame, "verdict")
