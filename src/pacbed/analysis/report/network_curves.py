"""What the networks thought: their distributions over classes, with what was refined."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from pacbed.analysis.result import Estimate, Result

BLUE, RED = "#1f5a94", "#c0392b"
CURVES = {"thickness": "thickness (nm)", "mistilt": "mistilt (mrad)", "scale": "scale"}


def draw_curves(figure: Figure, cells: GridSpec, result: Result) -> None:
    """Draw the networks' distributions side by side.

    Parameters
    ----------
    figure : Figure
    cells : GridSpec
        One row, a column for each of `CURVES`.
    result : Result
        Of a bundle with networks.
    """
    for column, (task, label) in enumerate(CURVES.items()):
        _draw_curve(figure.add_subplot(cells[0, column]), result, task, label)


def _draw_curve(axes: Axes, result: Result, task: str, label: str) -> None:
    curve = result.networks[task]
    values, probability = np.array(curve.class_values), np.array(curve.probability)
    axes.fill_between(values, probability, step="mid", color=BLUE, alpha=0.18, lw=0)
    axes.step(values, probability, where="mid", color=BLUE, lw=1.0)
    marked = _refined(result, task)
    if marked is not None and result.provenance.parameters["refined"]:
        axes.axvline(marked.value, color=RED, lw=1.0)
        if marked.interval_90 is not None:
            axes.axvspan(*marked.interval_90, color=RED, alpha=0.15, lw=0)
    axes.set(xlabel=label, ylim=(0, 1.15 * float(probability.max())), yticks=[])
    axes.set_xlim(values[0], values[-1])
    if task == "thickness":
        axes.set_ylabel("network probability")
        for candidate in result.thickness_candidates:
            height = float(np.interp(candidate.value, values, probability)) + 0.06 * float(probability.max())
            axes.plot(candidate.value, height, "v", color=BLUE, ms=3.5, mew=0)
        axes.plot([], [], "v", color=BLUE, ms=3.5, mew=0, label="candidates")
        if result.provenance.parameters["refined"]:
            axes.plot([], [], color=RED, lw=1.0, label="refined, 90 % interval")
        axes.legend(frameon=False, loc="best", handlelength=1.2, borderpad=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2.5)


def _refined(result: Result, task: str) -> Estimate | None:
    """The refined value in the units of a network's classes."""
    if task == "thickness":
        return result.thickness_nm
    if task == "mistilt":
        return result.mistilt_mrad
    if result.pixel_mrad is None:
        return None
    return Estimate(value=result.pixel_mrad.value / result.provenance.parameters["scale_reference_pixel_mrad"])
