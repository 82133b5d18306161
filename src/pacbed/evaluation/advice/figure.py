"""The picture of an advice: errors against thickness at every angle, and against the angle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from pacbed.errors import bad_value
from pacbed.evaluation.advice.advise import Advice, over_thickness
from pacbed.outputs import file_aside

PICTURES = (".png", ".pdf", ".svg")
WIDTH_IN, HEIGHT_IN, DPI = 7.6, 2.9, 200
SMALL, LABEL = 7, 8  # sizes of letters [points]
MANY_DECADES = 2.5  # of a scale, from which on only powers of ten are named
MOST_TICKS = 6
MODEL, TOTAL, MARK = "0.55", "black", "#D55E00"


def check_picture(path: Path) -> None:
    """Refuse a picture that cannot be drawn, before any work.

    Raises
    ------
    ParameterError
        The suffix is another than those of `PICTURES`.
    """
    if path.suffix.lower() not in PICTURES:
        raise bad_value("out", str(path), f"a file name that ends in {', '.join(PICTURES)}")


def draw_advice(advice: Advice, path: str | Path) -> None:
    """Draw the errors; the file appears complete or not at all.

    Parameters
    ----------
    advice : Advice
    path : path
        PNG, PDF or SVG by its suffix.
    """
    check_picture(Path(path))
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    FigureCanvasAgg(figure)
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.15, 1, 1])
    colours = _colours()
    _draw_thickness(left, advice, colours)
    _draw_mistilt(middle, advice, colours)
    _draw_angles(right, advice, colours)
    for letter, axes in zip("abc", (left, middle, right), strict=True):
        axes.set_title(letter, loc="left", fontsize=LABEL + 1, fontweight="bold")
        axes.tick_params(labelsize=SMALL, which="both")
        axes.grid(axis="y", color="0.92", lw=0.6)
        axes.set_axisbelow(True)
    _draw_bar(figure, middle, advice, colours)
    low, high = advice.grid.thickness_nm[[0, -1]]
    title = f"{advice.system}, {low:g} to {high:g} nm, {advice.electrons:.3g} electrons"
    figure.suptitle(title.replace("e+0", "e"), fontsize=LABEL + 1)
    kind = Path(path).suffix.lower()[1:]
    with file_aside(path) as aside:
        # Without a date the same advice gives the same file.
        figure.savefig(aside, format=kind, dpi=DPI, metadata={"CreationDate": None} if kind == "pdf" else {})


def _draw_thickness(axes: Axes, advice: Advice, colours: Colormap) -> None:
    """Noise of each angle, the model's part, and both together at the best angle, against thickness."""
    thickness, best = advice.grid.thickness_nm, advice.best
    axes.plot(thickness, advice.total_nm[best], color=TOTAL, lw=2, label=f"all, at {_best(advice)}")
    axes.plot(thickness, advice.model_nm, "--", color=MODEL, lw=1.4, label="model")
    axes.plot([], [], color=colours(0.5), lw=1.1, label="noise, each angle")
    for number, noise in enumerate(advice.noise_nm):
        axes.plot(thickness, noise, color=_colour(colours, advice, number), lw=1.1)
    _logarithmic(axes)
    axes.set_xlabel("thickness (nm)", fontsize=LABEL)
    axes.set_ylabel("error of the thickness (nm)", fontsize=LABEL)


def _draw_mistilt(axes: Axes, advice: Advice, colours: Colormap) -> None:
    """Noise of each angle against thickness."""
    for number, errors in enumerate(advice.mistilt_mrad):
        axes.plot(advice.grid.thickness_nm, errors, color=_colour(colours, advice, number), lw=1.1)
    _logarithmic(axes)
    axes.set_xlabel("thickness (nm)", fontsize=LABEL)
    axes.set_ylabel("error of the mistilt vector (mrad)", fontsize=LABEL)


def _draw_angles(axes: Axes, advice: Advice, colours: Colormap) -> None:
    """Root mean squares over thickness: all, the model's part, noise and its bound; the best angle is marked."""
    angles, total, noise = advice.grid.convergence_mrad, advice.criterion_nm, over_thickness(advice.noise_nm)
    model, best = np.full(len(angles), np.sqrt(np.mean(advice.model_nm**2))), advice.best
    axes.plot(angles, total, color=TOTAL, lw=2, label="all")
    axes.plot(angles, model, "--", color=MODEL, lw=1.4, label="model")
    axes.plot(angles, noise, "o-", color=MODEL, mfc=colours(0.5), mec=colours(0.5), lw=0.8, ms=4, label="noise")
    axes.plot(angles, over_thickness(advice.smallest_noise_nm), ":", color="0.3", lw=1.2, label="smallest possible")
    for number, angle in enumerate(angles):
        axes.plot(angle, noise[number], "o", ms=4, color=_colour(colours, advice, number))
    axes.plot(angles[best], total[best], "o", ms=8, mfc="none", mec=MARK, mew=1.6)
    axes.set_title(f"best: {_best(advice)}, {total[best]:.2g} nm", loc="right", fontsize=LABEL, color=MARK)
    _logarithmic(axes)
    axes.set_xticks(angles[:: -(-len(angles) // MOST_TICKS)])
    axes.xaxis.set_major_formatter(FormatStrFormatter("%.3g"))
    axes.set_xlabel("semi-convergence angle (mrad)", fontsize=LABEL)
    axes.set_ylabel("RMS error of the thickness (nm)", fontsize=LABEL)


def _logarithmic(axes: Axes) -> None:
    """A logarithmic scale with plain numbers, and with room for the legend where there is one."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    decades = float(np.log10(high / low))
    if axes.get_legend_handles_labels()[0]:
        axes.set_ylim(low, high * (high / low) ** 0.45)
        axes.legend(fontsize=SMALL, frameon=False, loc="upper left", handlelength=1.6, labelspacing=0.3)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < MANY_DECADES else (1.0,)))
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.yaxis.set_minor_locator(LogLocator(subs=range(1, 10)))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _draw_bar(figure: Figure, axes: Axes, advice: Advice, colours: Colormap) -> None:
    """Which colour is which angle."""
    angles = advice.grid.convergence_mrad
    edges = np.arange(len(angles) + 1) - 0.5
    bar = figure.colorbar(ScalarMappable(BoundaryNorm(edges, colours.N), colours), ax=axes, ticks=range(len(angles)))
    bar.ax.set_yticklabels([f"{angle:.3g}" for angle in angles], fontsize=SMALL)
    bar.ax.set_title("mrad", fontsize=SMALL)
    bar.ax.tick_params(size=0)


def _colours() -> Colormap:
    """Dark to bright, without the end that is too bright for a line on paper."""
    return LinearSegmentedColormap.from_list("angles", colormaps["viridis"](np.linspace(0, 0.88, 64)))


def _colour(colours: Colormap, advice: Advice, number: int) -> tuple[float, float, float, float]:
    red, green, blue, alpha = colours(number / max(1, len(advice.grid.convergence_mrad) - 1))
    return red, green, blue, alpha


def _best(advice: Advice) -> str:
    return f"{advice.grid.convergence_mrad[advice.best]:.3g} mrad"
