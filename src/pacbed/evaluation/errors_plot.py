"""The picture of an evaluation: error against noise for every method, and where thickness goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from pacbed.evaluation.answers import FLOOR, METHODS, Answer, column
from pacbed.evaluation.scores import by_thickness
from pacbed.figures import save_figure

LABELS = {
    "least_squares_no_tilt": "least squares without mistilt (aligned)",
    "least_squares": "least squares, all mistilts (aligned)",
    "networks": "networks",
    "match": "library match",
    "match_refinement": "match + refinement",
    "networks_refinement": "networks + refinement",
    FLOOR: "smallest possible",
}
COLOURS = {
    "least_squares_no_tilt": "#999999",
    "least_squares": "#CC79A7",
    "networks": "#E69F00",
    "match": "#009E73",
    "match_refinement": "#56B4E9",
    "networks_refinement": "#0072B2",
    FLOOR: "#000000",
}
# Median size of a normal error over its root mean square: of one number, and of a vector of two.
MEDIAN_OF_NORMAL, MEDIAN_OF_VECTOR = 0.6745, 0.8326
SPREAD = (0.25, 0.9)  # quantiles at the ends of a bar
LOWEST = 1e-3  # errors below [%, nm, mrad] are drawn here
APART = 0.1  # of neighbouring methods, in levels
DASH = 0.35  # half width of the floor at a level that has no neighbour


class Example(NamedTuple):
    """A pattern as the camera sees it at one level of noise.

    Attributes
    ----------
    noise : str
        Name of the level.
    image : float array, shape (y, x)
        Maximum 1 without its noise.
    """

    noise: str
    image: np.ndarray


def plot_errors(answers: Sequence[Answer], examples: Sequence[Example], out_png: str | Path, title: str = "") -> None:
    """Draw and write the picture: as figure 7 of Oberaigner et al. 2023, with the bound and more beside it.

    Parameters
    ----------
    answers : sequence of Answer
        All answers of all methods to one kind of patterns.
    examples : sequence of Example
        One of these patterns per noise level; of those whose level was answered, the first eight are shown. There may
        be none.
    out_png : path
        File to write.
    title : str
        Said of the patterns, above them.
    """
    asked = {answer.noise.label for answer in answers}
    shown = [example for example in examples if example.noise in asked][:8]
    heights = [1, 2.6] if shown else [2.6]
    figure = Figure(figsize=(13, 2 * sum(heights)), layout="constrained")
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    below = parts[-1]
    figure.suptitle(title, fontsize=9)
    if shown:
        _draw_examples(parts[0], shown)
    axes = below.subplots(1, 3)
    _draw_against_noise(axes[0], answers, _percent, MEDIAN_OF_NORMAL, "thickness error [%]")
    _draw_against_noise(axes[1], answers, _mistilt, MEDIAN_OF_VECTOR, "mistilt error [mrad]")
    _draw_by_thickness(axes[2], answers)
    handles, labels = axes[0].get_legend_handles_labels()
    below.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=8)
    save_figure(figure, out_png)


def _percent(answers: Sequence[Answer]) -> np.ndarray:
    """Thickness error of each answer, or its floor, over the true thickness [%]."""
    name = "thickness_std_nm" if answers[0].method == FLOOR else "thickness_error_nm"
    return 100 * np.abs(column(answers, name)) / column(answers, "true_thickness_nm")


def _mistilt(answers: Sequence[Answer]) -> np.ndarray:
    """Length of the error of the mistilt vector, of the magnitude where there is no direction [mrad]."""
    vector, magnitude = column(answers, "mistilt_vector_error_mrad"), column(answers, "mistilt_error_mrad")
    return np.abs(np.where(np.isfinite(vector), vector, magnitude))


def _draw_examples(figure: SubFigure, examples: Sequence[Example]) -> None:
    axes = figure.subplots(1, len(examples), squeeze=False)[0]
    for axis, example in zip(axes, examples, strict=True):
        axis.imshow(example.image, cmap="gray", vmin=0, vmax=min(1.0, float(example.image.max()) or 1.0))
        axis.set_title(example.noise, fontsize=8)
        axis.set_axis_off()


def _draw_against_noise(
    axis: Axes, answers: Sequence[Answer], sizes: Callable[[Sequence[Answer]], np.ndarray], of_floor: float, label: str
) -> None:
    """The median a point and a line, a bar from the lower quarter to the worst tenth.

    The floor is the median that its standard deviations make possible, for a normal error the factor `of_floor`.
    """
    levels = list(dict.fromkeys(answer.noise.label for answer in answers))
    shown = [name for name in (*METHODS, FLOOR) if any(one.method == name for one in answers)]
    gaussian = sum(not name.endswith("e") for name in levels)
    for number, method in enumerate(shown):
        points = []
        for at, level in enumerate(levels):
            chosen = [one for one in answers if one.method == method and one.noise.label == level]
            found = sizes(chosen) if chosen else np.array([])
            found = np.maximum(found[np.isfinite(found)], LOWEST)
            if len(found) == 0:
                continue
            place = at if method == FLOOR else at + APART * (number - (len(shown) - 2) / 2)
            points.append((place, float(np.median(found)) * (of_floor if method == FLOOR else 1), at >= gaussian))
            if method != FLOOR:
                axis.plot([place] * 2, np.quantile(found, SPREAD), color=COLOURS[method], alpha=0.45, lw=2.5)
        for counted in (False, True):
            part = [(x, y) for x, y, is_counted in points if is_counted == counted]
            if part:
                style = {"ls": "--"} if method == FLOOR else {"marker": "o", "ms": 4, "lw": 0.8}
                if method == FLOOR and len(part) == 1:  # no line through one point: a dash at its level
                    part = [(part[0][0] - DASH, part[0][1]), (part[0][0] + DASH, part[0][1])]
                name = LABELS[method] if counted == points[0][2] else None
                axis.plot(*zip(*part, strict=True), color=COLOURS[method], label=name, **style)
    axis.set_yscale("log")
    axis.set_xticks(range(len(levels)), levels, rotation=30 if len(levels) > 5 else 0)
    axis.set_xlim(-0.5, len(levels) - 0.5)
    axis.set_xlabel("noise: σ over the maximum, or counted electrons")
    axis.set_ylabel(f"{label}: median, 25 to 90 %")


def _draw_by_thickness(axis: Axes, answers: Sequence[Answer]) -> None:
    """Median error in ranges of thickness, at the Gaussian level in the middle."""
    levels = sorted({one.sigma for one in answers if one.electrons is None})
    level = levels[len(levels) // 2] if levels else None
    names: list[str] = []
    for method in METHODS:
        chosen = [one for one in answers if one.method == method and one.electrons is None and one.sigma == level]
        ranges = by_thickness(chosen)
        names = list(ranges) if len(ranges) > len(names) else names
        points = [(name, entry["median_nm"]) for name, entry in ranges.items() if entry["median_nm"] is not None]
        if points:
            x, y = zip(*points, strict=True)
            axis.plot(x, np.maximum(y, LOWEST), "o-", ms=4, lw=0.8, color=COLOURS[method])
    axis.set_yscale("log")
    axis.set_xlabel("true thickness [nm]")
    axis.set_ylabel(f"median thickness error at noise {level:g} [nm]" if level is not None else "")
