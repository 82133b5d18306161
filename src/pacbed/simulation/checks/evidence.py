"""Pictures that the checks of a simulation leave behind."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from pacbed.figures import Panel, draw_row, save_figure


class ComparedPatterns(NamedTuple):
    """Two patterns of one parameter set, as they are drawn.

    Attributes
    ----------
    direct, table : numpy.ndarray, shape (row, column)
        What a referee computed, and what the table says; NaN outside the field of view.
    half_mrad : float
        Half width of both [mrad].
    titles : tuple of three str
        Of the one, of the other, and of their difference.
    """

    direct: np.ndarray
    table: np.ndarray
    half_mrad: float
    titles: tuple[str, str, str]


def draw_comparisons(comparisons: Sequence[ComparedPatterns], path: str | Path) -> None:
    """Referee, table and difference of every parameter set, one row each, as PNG."""
    figure = Figure(figsize=(9, 2.8 * len(comparisons)), layout="constrained")
    rows = figure.subplots(len(comparisons), 3, squeeze=False)
    for row, (direct, table, half_mrad, titles) in zip(rows, comparisons, strict=True):
        top = np.nanmax(direct)
        bound = max(np.nanmax(np.abs(table - direct)), 1e-12 * top)
        shown = (
            Panel(direct, titles[0], "gray", (0, top)),
            Panel(table, titles[1], "gray", (0, top)),
            Panel(table - direct, titles[2], "RdBu_r", (-bound, bound)),
        )
        draw_row(figure, row, shown, half_mrad=half_mrad)
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
