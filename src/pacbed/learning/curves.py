"""Learning curves: how cross-entropy, hits and error of a network fell over the epochs, and which one was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

TRAINING, VALIDATION, KEPT = "#7f8c9b", "#c44e52", "#333333"


def draw_curves(rows: Sequence[Mapping[str, float]], description: Mapping[str, Any], path: str | Path) -> None:
    """Draw the history of a training.

    Parameters
    ----------
    rows : sequence of mapping
        One per epoch: ``epoch``, ``loss``, ``top1``, ``top3``, ``error`` and the same with ``val_``.
    description : mapping
        The network's ``.json``: ``task``, ``class_unit``, ``weights``, and ``validation`` with the epoch kept and its
        scores.
    path : path
        PNG file.
    """
    figure = Figure(figsize=(10.5, 3.6), layout="constrained", dpi=150)
    unit = "" if description["class_unit"] == "1" else f" [{description['class_unit']}]"
    scores, best = description["validation"], description["validation"]["epoch"]
    loss, hits, error = figure.subplots(1, 3)
    _pair(loss, rows, "loss", "cross-entropy", best)
    _pair(hits, rows, "top1", "share of patterns", best)
    _pair(hits, rows, "top3", "share of patterns", best, style="--")
    loss.axhline(scores["label_entropy"], color=KEPT, lw=0.7, label="least possible")
    hits.set(ylim=(0, 1.02))
    hits.yaxis.set_major_formatter(PercentFormatter(1.0))
    hits.set_title("solid: right class first; dashed: among three", fontsize=8)
    _pair(error, rows, "error", f"mean error of the first class{unit}", best)
    error.set_yscale("log")
    error.yaxis.set_major_formatter(_without_powers)
    error.yaxis.set_minor_formatter(lambda value, _: _without_powers(value, _) if f"{value:e}"[0] in "235" else "")
    loss.legend(frameon=False, fontsize=8)
    middle = f"{scores['median_error']:.2g} {description['class_unit'] if unit else ''}".strip()
    figure.suptitle(
        f"{description['task']}: {description['weights']:,} weights, median error {middle}, "
        f"{scores['candidates_within_5_classes']:.1%} within five classes of one of three candidates",
        fontsize=10,
    )
    figure.savefig(path, format="png")


def _without_powers(value: float, _: object = None) -> str:
    """Axis label without powers of ten."""
    return f"{value:g}"


def _pair(
    axes: Axes, rows: Sequence[Mapping[str, float]], name: str, label: str, best: float, *, style: str = "-"
) -> None:
    """Training and validation of one quantity against the epoch."""
    epochs = [row["epoch"] for row in rows]
    marker = "o" if len(rows) < 25 else None
    axes.plot(epochs, [row[name] for row in rows], style, color=TRAINING, marker=marker, ms=3, label="training")
    shown = [row[f"val_{name}"] for row in rows]
    axes.plot(epochs, shown, style, color=VALIDATION, marker=marker, ms=3, label="validation, held-out series")
    axes.axvline(best, color=KEPT, lw=0.7, ls=":", label="kept")
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
