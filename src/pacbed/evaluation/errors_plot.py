"""The picture of an evaluation: error against noise for every method, and where thickness goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from pacbed.evaluation.scores import FLOOR, METHODS, Score, column
from pacbed.outputs import file_aside

LABELS = {
    "nearest_image": "nearest image (aligned, no mistilt)",
    "networks": "networks alone",
    "refinement": "refinement",
    FLOOR: "smallest possible",
}
COLOURS = {"nearest_image": "#999999", "networks": "#E69F00", "refinement": "#0072B2", FLOOR: "#000000"}
# Median size of a normal error over its root mean square: of one number, and of a vector of two.
MEDIAN_OVER_RMS = {"thickness_error_nm": 0.6745, "mistilt_error_mrad": 0.8326}
LOWEST = 1e-3  # errors below [nm, mrad] are drawn here


class Example(NamedTuple):
    """A pattern as the camera sees it at one level of noise.

    Attributes
    ----------
    noise : float
        Standard deviation over the pattern's maximum.
    image : float array, shape (y, x)
        Maximum 1 without its noise.
    """

    noise: float
    image: np.ndarray


def plot_errors(scores: Sequence[Score], examples: Sequence[Example], out_png: str | Path) -> None:
    """Draw and write the picture.

    Parameters
    ----------
    scores : sequence of Score
        All scores of all methods.
    examples : sequence of Example
        One pattern per noise level; the first six are shown.
    out_png : path
        File to write.
    """
    figure = Figure(figsize=(11, 6.2), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1, 2.2], squeeze=False)[:, 0]
    _draw_examples(above, examples[:6])
    axes = below.subplots(1, 3)
    _draw_against_noise(axes[0], scores, "thickness_error_nm", "thickness error [nm]")
    _draw_against_noise(axes[1], scores, "mistilt_error_mrad", "mistilt error [mrad]")
    _draw_found(axes[2], scores)
    below.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    with file_aside(out_png) as aside:
        figure.savefig(aside, dpi=130)


def _draw_examples(figure: SubFigure, examples: Sequence[Example]) -> None:
    axes = figure.subplots(1, len(examples), squeeze=False)[0]
    for axis, example in zip(axes, examples, strict=True):
        axis.imshow(example.image, cmap="gray", vmin=0, vmax=1)
        axis.set_title(f"noise {example.noise:g} of the maximum", fontsize=8)
        axis.set_axis_off()


def _draw_against_noise(axis: Axes, scores: Sequence[Score], quantity: str, label: str) -> None:
    """Every pattern a dot, the median a line; for the floor the median that its standard deviations make possible."""
    levels = sorted({score.noise for score in scores})
    for number, method in enumerate((*METHODS, FLOOR)):
        columns = np.arange(len(levels)) + (0 if method == FLOOR else 0.08 * (number - 1))
        medians = []
        for at, level in zip(columns, levels, strict=True):
            of_level = [score for score in scores if score.noise == level and score.method == method]
            errors = np.abs(column(of_level, quantity)) * (MEDIAN_OVER_RMS[quantity] if method == FLOOR else 1)
            medians.append(np.median(errors) if len(errors) else np.nan)
            if method != FLOOR:
                heights = np.maximum(errors, LOWEST)
                axis.plot(np.full(len(errors), at), heights, ".", color=COLOURS[method], alpha=0.35)
        if not np.all(np.isnan(medians)):
            style = "--" if method == FLOOR else "o-"
            axis.plot(columns, np.maximum(medians, LOWEST), style, ms=5, color=COLOURS[method], label=LABELS[method])
    axis.set_yscale("log")
    axis.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
    axis.set_xlim(-0.4, len(levels) - 0.6)
    axis.set_xlabel("noise over the pattern's maximum")
    axis.set_ylabel(label)


def _draw_found(axis: Axes, scores: Sequence[Score]) -> None:
    noisiest = [score for score in scores if score.noise == max(other.noise for other in scores)]
    for method in METHODS:
        of_method = [score for score in noisiest if score.method == method and score.thickness_nm is not None]
        true, found = column(of_method, "true_thickness_nm"), column(of_method, "thickness_nm")
        axis.plot(true, found, "o", ms=4, color=COLOURS[method], alpha=0.8)
    ends = np.array([min(s.true_thickness_nm for s in noisiest), max(s.true_thickness_nm for s in noisiest)])
    axis.plot(ends, ends, "k-", lw=0.7)
    axis.set_xlabel("true thickness [nm]")
    axis.set_ylabel(f"thickness found at noise {noisiest[0].noise:g} [nm]")
