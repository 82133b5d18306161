"""What the networks thought: their distributions over classes, with what was refined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from pacbed.analysis.result import Estimate, Result

BLUE, RED = "#1f5a94", "#c0392b"
OTHERS = {"mistilt": "mistilt (mrad)", "scale": "scale"}


def draw_thickness_curve(axes: Axes, result: Result) -> None:
    """Draw the thickness network's distribution with its candidates; the limits of the axes stay as they are.

    Parameters
    ----------
    axes : Axes
        Shares its thickness with another curve.
    result : Result
        Of a bundle with networks.
    """
    limits = axes.get_xlim()
    curve = _draw_distribution(axes, result, "thickness")
    for candidate in result.thickness_candidates:
        height = float(np.interp(candidate.value, *curve)) + 0.08 * float(curve[1].max())
        axes.plot(candidate.value, height, "v", color=BLUE, ms=3.5, mew=0)
    axes.plot([], [], "v", color=BLUE, ms=3.5, mew=0, label="candidates of the network")
    axes.set(xlim=limits, ylabel="network")
    axes.set_xlabel("thickness (nm)", labelpad=1)
    axes.legend(frameon=False, loc="best", handlelength=1.2, borderpad=0)


def draw_other_curves(axes: Sequence[Axes], result: Result) -> None:
    """Draw the distributions of the networks for `OTHERS`.

    Parameters
    ----------
    axes : sequence of Axes
        One for each.
    result : Result
        Of a bundle with networks.
    """
    for one, (task, label) in zip(axes, OTHERS.items(), strict=True):
        values, _ = _draw_distribution(one, result, task)
        one.set_xlim(values[0], values[-1])
        one.set_xlabel(label, labelpad=1)


def _draw_distribution(axes: Axes, result: Result, task: str) -> tuple[np.ndarray, np.ndarray]:
    """Class values and probabilities of a network, each of shape (class,)."""
    curve = result.networks[task]
    values, probability = np.array(curve.class_values), np.array(curve.probability)
    axes.fill_between(values, probability, step="mid", color=BLUE, alpha=0.18, lw=0)
    axes.step(values, probability, where="mid", color=BLUE, lw=1.0)
    marked = _refined(result, task)
    if marked is not None and result.provenance.parameters["refined"]:
        axes.axvline(marked.value, color=RED, lw=1.0)
        if marked.interval_90 is not None:
            axes.axvspan(*marked.interval_90, color=RED, alpha=0.15, lw=0)
    axes.set(ylim=(0, 1.25 * float(probability.max())), yticks=[])
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2.5)
    return values, probability


def _refined(result: Result, task: str) -> Estimate | None:
    """The refined value in the units of a network's classes."""
    if task == "thickness":
        return result.thickness_nm
    if task == "mistilt":
        return result.mistilt_mrad
    if result.pixel_mrad is None:
        return None
    return Estimate(value=result.pixel_mrad.value / result.provenance.parameters["scale_reference_pixel_mrad"])
