"""What the checks of a simulation leave behind: pictures and figures, complete or absent."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from pacbed.figures import Panel, draw_row, save_figure


def draw_comparisons(
    results: Sequence[Mapping[str, Any]], pictures: Sequence[tuple[np.ndarray, np.ndarray]], path: str | Path
) -> None:
    """Scan, table and difference of every parameter set, one row each.

    Parameters
    ----------
    results : sequence of mapping
        Figures of the sets, as `compare` returns them.
    pictures : sequence of pairs of numpy.ndarray, shape (ky, kx)
        The two patterns of each set.
    path : path
        PNG file.
    """
    figure = Figure(figsize=(9, 2.7 * len(pictures)), layout="constrained")
    axes = figure.subplots(len(pictures), 3, squeeze=False)
    for row, result, (direct, table) in zip(axes, results, pictures, strict=True):
        top = direct.max()
        difference = table - direct
        bound = max(np.abs(difference).max(), 1e-12 * top)
        tilt = "({:.2f}, {:.2f})".format(*result["mistilt_mrad"])
        shown = (
            Panel(direct, f"abTEM scan, {result['thickness_nm']:.2f} nm", "gray", (0, top)),
            Panel(table, f"table, {result['convergence_mrad']:.2f} mrad, tilt {tilt}", "gray", (0, top)),
            Panel(difference, f"difference, L2 {result['relative_l2']:.1e}", "RdBu_r", (-bound, bound)),
        )
        draw_row(figure, row, shown, half_mrad=result["pixel_mrad"] * len(direct) / 2)
    save_figure(figure, path)


def draw_reason(text: str, path: str | Path) -> None:
    """A picture that says in words why there is nothing to draw, as PNG."""
    figure = Figure(figsize=(7, 2), layout="constrained")
    figure.text(0.5, 0.5, textwrap.fill(text, 80), ha="center", va="center")
    save_figure(figure, path)


def draw_checks(figures: Mapping[str, Any], path: str | Path) -> None:
    """Every numerical check as a bar on a logarithmic axis, with its tolerance.

    Parameters
    ----------
    figures : mapping
        What `check_convergence` writes.
    path : path
        PNG file.
    """
    checks = figures["checks"]
    figure = Figure(figsize=(8, 0.6 * len(checks) + 1.2), layout="constrained")
    axis = figure.subplots()
    for row, check in enumerate(checks):
        good = check["worst"] <= check["tolerance"]
        axis.barh(row, max(check["worst"], 1e-6), left=1e-6, color="tab:green" if good else "tab:red", alpha=0.7)
        axis.plot([check["tolerance"]] * 2, [row - 0.4, row + 0.4], color="black")
        axis.text(1.2e-6, row, f"{check['what']}: {check['worst']:.1e}", va="center", fontsize=8)
    axis.set_xscale("log")
    axis.set_xlim(1e-6, 1.0)
    axis.set_yticks(range(len(checks)), [check["name"] for check in checks])
    axis.invert_yaxis()
    depths = ", ".join(f"{thickness:g}" for thickness in figures["thicknesses_nm"])
    axis.set_xlabel(f"worst of {depths} nm; the black line is the tolerance")
    save_figure(figure, path)
