"""Draws misfit against thickness, with the answer, its rivals and what a rival would have to reach."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from pacbed.analysis.report.panels.misfit_profile import MisfitProfile
from pacbed.analysis.result import Result

INK, RED, GREY = "#222222", "#c0392b", "#888888"
TICKS = (1, 1.5, 2, 3, 5, 10, 20, 50, 100)
STEEP, DECADES = (
    20.0,
    (1, 10, 100, 1000, 10000),
)  # from this ratio on, as of patterns without noise, few ticks have room


def draw_misfit_curve(axes: Axes, profile: MisfitProfile, result: Result) -> None:
    """Draw the misfit over the least against thickness, on a logarithmic scale.

    Parameters
    ----------
    axes : Axes
    profile : MisfitProfile
    result : Result
        Gives the answer and the ratio below which a rival makes it doubtful.
    """
    top = 1.15 * max(2.0, float(profile.ratio.max()))
    axes.plot(profile.thickness_nm, profile.ratio, color=INK, lw=1.0, label="best match of each thickness")
    limit = float(result.provenance.parameters["thresholds"]["ambiguous_ratio"])
    axes.axhline(limit, color=GREY, lw=0.7, ls=(0, (4, 3)), label=f"ambiguous below {limit:g}")
    if result.thickness_nm is not None:
        axes.axvline(result.thickness_nm.value, color=RED, lw=1.0, label="answer, 90 % interval")
        if result.thickness_nm.interval_90 is not None:
            axes.axvspan(*result.thickness_nm.interval_90, color=RED, alpha=0.18, lw=0)
    for index, rival in enumerate(profile.rivals):
        axes.plot(
            rival.thickness_nm, min(rival.ratio, 0.95 * top), "o", mfc="white", mec=INK, ms=3.5, mew=0.8,
            label="refined elsewhere" if index == 0 else None,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.set(ylim=(0.93, top), xlim=(float(profile.thickness_nm[0]), float(profile.thickness_nm[-1])))
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in (TICKS if top < STEEP else DECADES) if tick <= top]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylabel("misfit / least")
    # Above the axes, where it hides nothing.
    axes.legend(
        frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, handlelength=1.4, borderpad=0.2,
        columnspacing=1.2, fontsize=6.5,
    )  # fmt: skip
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=2.5)
