"""The picture of a thickness budget: bias of every effect against thickness."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from pacbed.figures import save_figure

GUIDES = (0.01, 0.03)  # of the thickness
LOWEST_NM = 1e-3  # smaller biases are drawn here
COLOURS = ("#0072B2", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#999900", "#7F3C8D")


def plot_budget(figures: Mapping[str, Any], path: str | Path) -> None:
    """Draw every effect, the budget of those counted, and 1 % and 3 % of the thickness.

    Parameters
    ----------
    figures : mapping
        What `model_error` writes.
    path : path
        PNG file.
    """
    figure = Figure(figsize=(8.5, 5.2), layout="constrained")
    axis = figure.subplots()
    thickness = np.array(figures["thickness_nm"])
    ends = np.array([thickness[0], thickness[-1]])
    for share in GUIDES:
        axis.plot(ends, share * ends, color="0.7", lw=0.8)
        axis.annotate(f" {100 * share:g} % of t", (ends[1], share * ends[1]), color="0.5", fontsize=8, va="center")
    for (name, effect), colour in zip(figures["effects"].items(), COLOURS, strict=False):
        style = "o-" if effect["counted"] else "o:"
        label = f"{name.replace('_', ' ')} ({_size(effect)})" + ("" if effect["counted"] else ", not counted")
        heights = np.maximum(effect["bias_nm"], LOWEST_NM)
        axis.plot(thickness, heights, style, ms=3.5, lw=1.2, color=colour, label=label)
    budget = np.maximum(figures["std_nm"], LOWEST_NM)
    axis.plot(thickness, budget, "-", color="black", lw=3, label="total (counted), dips bridged")
    axis.set_yscale("log")
    axis.set_xlim(0, 1.2 * ends[1])  # room for the guides' names
    axis.set_xlabel("thickness [nm]")
    axis.set_ylabel("bias of the fitted thickness [nm]")
    tilt = float(np.hypot(*figures["mistilt_mrad"][-1]))
    axis.set_title(
        f"{figures['convergence_mrad']:g} mrad, on the zone axis and {tilt:.2g} mrad off it", fontsize=9, loc="left"
    )
    figure.legend(loc="outside right upper", fontsize=8)
    save_figure(figure, path)


def _size(effect: Mapping[str, Any]) -> str:
    if effect["unit"].startswith("of "):
        signs = "±" if len(effect["signs"]) > 1 else ("−" if effect["signs"][0] < 0 else "+")
        return f"{signs}{100 * effect['size']:g} %"
    return effect["unit"] if effect["size"] == 1 else f"{effect['size']:.3g} {effect['unit']}"
