"""Picture of an oriented cell as the beam sees it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.structure import Crystal


def draw_structure(oriented: Crystal, slices: SlicePotentials, path: str | Path) -> None:
    """Draw the projected potential with the atoms on it, and the height of the atoms along the beam, as PNG."""
    figure = Figure(figsize=(9.5, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    plan, side = figure.subplots(1, 2, width_ratios=[1.25, 1])
    _draw_plan(plan, oriented, slices)
    _draw_side(side, oriented, slices)
    uvw = " ".join(str(index) for index in slices.zone_axis)
    figure.suptitle(f"{slices.formula}, zone axis [{uvw}], {slices.energy_ev / 1e3:g} kV")
    figure.savefig(path, dpi=130)


def _draw_plan(axes, oriented: Crystal, slices: SlicePotentials) -> None:
    total = np.tile(slices.potential.sum(axis=0), (2, 2))
    fraction = np.stack(np.meshgrid(*(np.arange(n) / m for n, m in zip(total.shape, slices.grid, strict=True)), indexing="ij"), -1)  # fmt: skip
    xy = fraction @ slices.cell_a
    mesh = axes.pcolormesh(xy[..., 0], xy[..., 1], total, shading="gouraud", cmap="magma", rasterized=True)
    axes.figure.colorbar(mesh, ax=axes, label="projected potential of one period (eV Å)", shrink=0.85)
    for symbol in dict.fromkeys(oriented.symbols):
        chosen = np.array(oriented.symbols) == symbol
        shifts = np.array([(i, j) for i in range(2) for j in range(2)]) @ slices.cell_a
        points = (oriented.positions[chosen, :2][:, None] + shifts).reshape(-1, 2)
        axes.plot(*points.T, "o", ms=5, mfc="none", label=symbol)
    for vector, name in zip(slices.cell_a, "ab", strict=True):
        axes.annotate("", vector, (0, 0), arrowprops={"arrowstyle": "->", "color": "white", "lw": 1.8})
        axes.text(*(0.5 * vector), f" {name}", color="white", fontsize=12)
    axes.set(aspect="equal", xlabel="x (Å)", ylabel="y (Å)", title="seen along the beam (into the page)")
    axes.invert_yaxis()
    axes.legend(loc="upper right", framealpha=0.9)


def _draw_side(axes, oriented: Crystal, slices: SlicePotentials) -> None:
    for symbol in dict.fromkeys(oriented.symbols):
        chosen = np.array(oriented.symbols) == symbol
        axes.plot(*oriented.positions[chosen][:, [0, 2]].T, "o", label=symbol)
    for level in range(len(slices.potential) + 1):
        axes.axhline(level * slices.slice_depth_a, color="0.8", lw=0.8, zorder=0)
    axes.annotate("beam", (0.03, 0.3), (0.03, 0.05), xycoords="axes fraction", ha="center", arrowprops={"arrowstyle": "->"})
    axes.set(xlabel="x (Å)", ylabel="z (Å)", title="atoms and slice planes of one period")
    axes.invert_yaxis()
