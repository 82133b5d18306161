"""Picture of an oriented cell as the beam sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pacbed.crystal.cell import Crystal
from pacbed.crystal.drawing.appearance import element_colours
from pacbed.crystal.drawing.crystal_picture import subscripts
from pacbed.crystal.potentials import SlicePotentials


def draw_structure(oriented: Crystal, slices: SlicePotentials, path: str | Path) -> None:
    """Draw the projected potential with the atoms on it, and the height of the atoms along the beam, as PNG."""
    figure = Figure(figsize=(9.5, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    plan, side = figure.subplots(1, 2, width_ratios=[1.25, 1])
    _draw_plan(plan, oriented, slices)
    _draw_side(side, oriented, slices)
    uvw = " ".join(str(index) for index in slices.zone_axis)
    figure.suptitle(f"{subscripts(slices.formula)}, zone axis [{uvw}], {slices.energy_ev / 1e3:g} kV")
    figure.savefig(path, dpi=130)


def _draw_plan(axes, oriented: Crystal, slices: SlicePotentials) -> None:
    total = np.tile(slices.potential.sum(axis=0), (2, 2))
    steps = [np.arange(n) / m for n, m in zip(total.shape, slices.grid, strict=True)]
    fraction = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1)
    xy = fraction @ slices.cell_a
    mesh = axes.pcolormesh(xy[..., 0], xy[..., 1], total, shading="gouraud", cmap="magma", rasterized=True)
    axes.figure.colorbar(mesh, ax=axes, label="projected potential of one period (eV Å)", shrink=0.85)
    colours = element_colours(oriented.symbols)
    for symbol, size in _marker_sizes(oriented).items():
        chosen = np.array(oriented.symbols) == symbol
        shifts = np.array([(i, j) for i in range(2) for j in range(2)]) @ slices.cell_a
        points = (oriented.positions[chosen, :2][:, None] + shifts).reshape(-1, 2)
        axes.plot(*points.T, "o", ms=size, mfc="none", mec=colours[symbol], mew=1.6, label=symbol, clip_on=False)
    for vector, name in zip(slices.cell_a, "ab", strict=True):
        axes.annotate(
            "", vector, (0, 0), arrowprops={"arrowstyle": "->", "color": "tab:cyan", "lw": 2}, annotation_clip=False
        )
        axes.text(*(0.5 * vector), f" {name}", color="tab:cyan", fontsize=13)
    axes.set(aspect="equal", xlabel="x (Å)", ylabel="y (Å)", title="seen along the beam (into the page)")
    axes.invert_yaxis()
    axes.legend(loc="upper right", framealpha=0.9)


def _marker_sizes(oriented: Crystal) -> dict[str, float]:
    """Rings of falling size, so that atoms in one projected column stay visible."""
    symbols = list(dict.fromkeys(oriented.symbols))
    return {symbol: 14.0 - 9.0 * index / max(1, len(symbols) - 1) for index, symbol in enumerate(symbols)}


def _draw_side(axes, oriented: Crystal, slices: SlicePotentials) -> None:
    colours = element_colours(oriented.symbols)
    for symbol, size in _marker_sizes(oriented).items():
        chosen = np.array(oriented.symbols) == symbol
        heights = oriented.fractional[chosen, 2] * slices.period_a
        axes.plot(oriented.positions[chosen, 0], heights, "o", ms=size, mfc=colours[symbol], mec="black", label=symbol)
    for level in range(len(slices.potential) + 1):
        axes.axhline(level * slices.slice_depth_a, color="0.8", lw=0.8, zorder=0)
    axes.annotate(
        "beam", (0.5, 0.35), (0.5, 0.7), xycoords="axes fraction", ha="center", arrowprops={"arrowstyle": "->"}
    )
    height = "z' = z - slope.(x, y) (Å), slices are sheared" if np.any(slices.slope) else "z (Å)"
    axes.set(xlabel="x (Å)", ylabel=height, title="atoms and slice planes of one period")
    axes.invert_yaxis()
