"""Is an error bar what it says? Share of truths inside central intervals, against the share that they promise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pacbed.evaluation.answers import METHODS, Answer, column
from pacbed.evaluation.errors_plot import COLOURS, LABELS
from pacbed.evaluation.scores import covered
from pacbed.figures import save_figure

NOMINAL = np.array([10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99])  # [%]
PARTS = {"thickness_std_nm": "whole error bar", "thickness_std_statistical_nm": "its statistical part"}
LEAST_ANSWERS = 8  # fewer make no curve


def plot_calibration(groups: dict[str, Sequence[Answer]], out_png: str | Path, title: str = "") -> None:
    """Draw and write the picture: a row per part of the error bar, a column per group of answers.

    Parameters
    ----------
    groups : dict of str to sequence of Answer
        Answers of all methods and noise levels, by the name of what they have in common.
    out_png : path
        File to write.
    title : str
        Said above.
    """
    figure = Figure(figsize=(3.4 * len(groups) + 0.6, 6.8), layout="constrained")
    axes = figure.subplots(len(PARTS), len(groups), squeeze=False, sharex=True, sharey=True)
    for row, (part, name) in zip(axes, PARTS.items(), strict=True):
        for axis, (group, answers) in zip(row, groups.items(), strict=True):
            _draw(axis, answers, part)
            axis.set_title(f"{group}: {name}", fontsize=9)
        row[0].set_ylabel("observed [%]")
    for axis in axes[-1]:
        axis.set_xlabel("nominal [%]")
    handles = {label: line for axis in axes.flat for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, fontsize=8)
    if title:
        figure.suptitle(title, fontsize=9)
    save_figure(figure, out_png)


def _draw(axis: Axes, answers: Sequence[Answer], part: str) -> None:
    axis.plot([0, 100], [0, 100], color="0.6", lw=0.8)
    for method in METHODS:
        chosen = [one for one in answers if one.method == method]
        error, std = column(chosen, "thickness_error_nm"), column(chosen, part)
        if np.isfinite(error + std).sum() >= LEAST_ANSWERS:
            observed = [100 * (covered(error, std, float(level)) or 0.0) for level in NOMINAL]
            axis.plot(NOMINAL, observed, "o-", ms=3, lw=1, color=COLOURS[method], label=LABELS[method])
    axis.set_xlim(0, 100)
    axis.set_ylim(0, 102)
    axis.set_aspect("equal")
