"""The validation sheet: what was measured, what fits it best, what is left, and what else would fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pacbed.analysis.predict import Analysis
from pacbed.analysis.report.panels.misfit_curve import draw_misfit_curve
from pacbed.analysis.report.panels.misfit_profile import MisfitProfile, misfit_profile
from pacbed.analysis.report.panels.network_curves import draw_other_curves, draw_thickness_curve
from pacbed.analysis.report.panels.numbers import draw_header, draw_text
from pacbed.analysis.report.panels.pictures import draw_pictures
from pacbed.analysis.result import Result
from pacbed.errors import bad_value
from pacbed.outputs import file_aside

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "pdf.fonttype": 3,  # text stays text; TrueType would cost a second of subsetting
}
FORMATS = (".png", ".pdf")
# Without a date the same result gives the same file; a PNG packed harder is 3 % smaller and takes 60 ms longer.
SAVED: dict[str, Any] = {"pdf": {"metadata": {"CreationDate": None}}, "png": {"pil_kwargs": {"compress_level": 3}}}
WIDTH_INCHES, HEIGHT_INCHES, DPI = 7.2, 7.9, 200
NETWORK_INCHES = 0.72  # of the height, without networks left out
SIDES: dict[str, Any] = {"left": 0.075, "right": 0.975}


def draw_sheet(analysis: Analysis, *paths: str | Path, profile: MisfitProfile | None = None) -> None:
    """Draw the sheet of a result; each file appears complete or not at all.

    Parameters
    ----------
    analysis : Analysis
        From `analyse`.
    *paths : path
        The files to write, ``.png`` or ``.pdf``.
    profile : MisfitProfile, optional
        Of the same analysis, if it is there already.

    Raises
    ------
    ParameterError
        Another suffix; nothing is written.
    """
    for path in paths:
        if Path(path).suffix.lower() not in FORMATS:
            raise bad_value("sheet", Path(path).name, f"a file ending in {', '.join(FORMATS)}")
    with rc_context(STYLE):
        figure = compose_sheet(analysis, profile)
        for path in paths:
            kind = Path(path).suffix.lower()[1:]
            with file_aside(path) as aside:
                figure.savefig(aside, format=kind, dpi=DPI, **SAVED[kind])


def compose_sheet(analysis: Analysis, profile: MisfitProfile | None = None) -> Figure:
    """The sheet of a result as a figure, in the style that is set; the profile of the analysis may be there already."""
    result = analysis.result
    profile = misfit_profile(analysis) if profile is None else profile
    height = HEIGHT_INCHES - (0 if result.networks else NETWORK_INCHES)
    figure = Figure(figsize=(WIDTH_INCHES, height))
    FigureCanvasAgg(figure)
    draw_header(figure, analysis, 1 - 0.24 / height, 1 - 0.5 / height)
    pictures = figure.add_gridspec(
        2, 3, **SIDES, top=1 - 0.8 / height, bottom=1 - 3.61 / height, height_ratios=[1, 0.035], hspace=0.2,
        wspace=0.08,
    )  # fmt: skip
    draw_pictures(figure, pictures, analysis)
    _draw_curves(figure, result, profile, top=1 - 4.16 / height, bottom=2.25 / height)
    draw_text(figure.add_axes((0.075, 0.4 / height, 0.9, 1.43 / height)), result)
    return figure


def _draw_curves(figure: Figure, result: Result, profile: MisfitProfile, *, top: float, bottom: float) -> None:
    """Misfit against thickness and, where there are networks, below and beside it what they thought."""
    shared: dict[str, Any] = {**SIDES, "top": top, "bottom": bottom}
    if not result.networks:
        axes = figure.add_subplot(figure.add_gridspec(1, 1, **shared)[0, 0])
        draw_misfit_curve(axes, profile, result)
        axes.set_xlabel("thickness (nm)", labelpad=1)
        return
    left = figure.add_gridspec(2, 2, **shared, height_ratios=[1.7, 1], width_ratios=[2.08, 1], hspace=0.12, wspace=0.1)
    axes = figure.add_subplot(left[0, 0])
    draw_misfit_curve(axes, profile, result)
    axes.tick_params(labelbottom=False)
    draw_thickness_curve(figure.add_subplot(left[1, 0], sharex=axes), result)
    right = left[:, 1].subgridspec(2, 1, hspace=0.95)
    draw_other_curves([figure.add_subplot(right[row, 0]) for row in (0, 1)], result)
