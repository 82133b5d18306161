"""Misfit against thickness as a drawing of points that can be chosen."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import NamedTuple

from pacbed.analysis.report.comparison.kept import Kept
from pacbed.analysis.result import Result

WIDTH, HEIGHT = 760.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 12.0, 12.0, 40.0
TICKS = (1, 1.5, 2, 3, 5, 10, 20, 50, 100)
LOWEST = 0.93
STEPS = (1, 2, 5, 10, 20, 25, 50, 100)
FEWEST_TICKS = 5
RIVALS, RIVAL_BELOW, APART_NM = 5, 2.5, 3.0


class Mark(NamedTuple):
    """Something at a place of the drawing: a tick, or a point that can be chosen.

    Attributes
    ----------
    at, down : float
        In the unit of the drawing.
    text : str
    number : int
        Of a point; -1 for a tick.
    """

    at: float
    down: float
    text: str
    number: int = -1


@dataclass(frozen=True)
class Curve:
    """A drawing, in units of its view box.

    Attributes
    ----------
    path : str
        Of the curve, as SVG writes it.
    points : list of Mark
    rivals : list of Mark
        Ends of refinements elsewhere.
    x_ticks, y_ticks : list of Mark
    answer : float or None
    interval : tuple of float or None
        Left edge and width of the 90 % interval.
    ambiguous : float
        Height of the line below which another thickness fits nearly as well.
    low_nm, high_nm, top : float
        What the axes span: thickness [nm], and the largest ratio.
    """

    path: str
    points: list[Mark]
    rivals: list[Mark]
    x_ticks: list[Mark]
    y_ticks: list[Mark]
    answer: float | None
    interval: tuple[float, float] | None
    ambiguous: float
    low_nm: float
    high_nm: float
    top: float
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    head: float = TOP
    foot: float = HEIGHT - BOTTOM


class _Axes(NamedTuple):
    low: float
    high: float
    top: float

    def x(self, thickness_nm: float) -> float:
        inside = min(max(thickness_nm, self.low), self.high)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (inside - self.low) / (self.high - self.low), 1)

    def y(self, ratio: float) -> float:
        share = log(min(max(ratio, LOWEST), self.top) / LOWEST) / log(self.top / LOWEST)
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)


def draw_curve(kept: Kept, result: Result) -> Curve:
    """The misfit curve of a look-up."""
    thickness = [one.thickness_nm for one in kept.curve]
    axes = _Axes(min(thickness), max(thickness), 1.15 * max(2.0, *(one.ratio for one in kept.curve)))
    marks = [
        Mark(axes.x(one.thickness_nm), axes.y(one.ratio), f"{one.thickness_nm:.1f} nm, misfit {one.ratio:.2f}", index)
        for index, one in enumerate(kept.curve)
    ]
    points = [mark for mark, one in zip(marks, kept.curve, strict=True) if not one.refined]
    rivals = [mark for mark, one in zip(marks, kept.curve, strict=True) if one.refined]
    found, interval = result.thickness_nm, None
    if found is not None and found.interval_90 is not None:
        low, high = (axes.x(value) for value in found.interval_90)
        interval = low, max(high - low, 1.0)
    step = next((one for one in STEPS if (axes.high - axes.low) / one <= 2 * FEWEST_TICKS), STEPS[-1])
    first = int(-(-axes.low // step))
    across = [step * number for number in range(first, int(axes.high // step) + 1)]
    return Curve(
        "M" + " L".join(f"{one.at} {one.down}" for one in points),
        points,
        rivals,
        [Mark(axes.x(value), HEIGHT - BOTTOM, f"{value:g}") for value in across],
        [Mark(LEFT, axes.y(value), f"{value:g}") for value in TICKS if value <= axes.top],
        None if found is None else axes.x(found.value),
        interval,
        axes.y(float(result.provenance.parameters["thresholds"]["ambiguous_ratio"])),
        axes.low,
        axes.high,
        axes.top,
    )


class Rival(NamedTuple):
    """What else the thickness could be.

    Attributes
    ----------
    thickness_nm, ratio : float
        Thickness [nm], misfit over the least.
    number : int
        Of its point.
    source : str
        What proposes it.
    """

    thickness_nm: float
    ratio: float
    number: int
    source: str


def rivals_of(kept: Kept, result: Result) -> list[Rival]:
    """Other candidates, the best first: ends of other refinements, valleys of the curve, peaks of the network."""
    answer = kept.best.thickness_nm
    found = [
        Rival(one.thickness_nm, one.ratio, index, "a fit that ended here")
        for index, one in enumerate(kept.curve)
        if one.refined
    ]
    curve = [(one, index) for index, one in enumerate(kept.curve) if not one.refined]
    for before, (here, index), after in zip(curve, curve[1:], curve[2:], strict=False):
        if here.ratio <= min(before[0].ratio, after[0].ratio, RIVAL_BELOW):
            found.append(Rival(here.thickness_nm, here.ratio, index, "a valley of the curve"))
    for peak in result.thickness_candidates:
        near, index = min(curve, key=lambda one: abs(one[0].thickness_nm - peak.value))
        source = f"the network, {100 * peak.probability:.0f} %"
        found.append(Rival(near.thickness_nm, near.ratio, index, source))
    chosen: list[Rival] = []
    for one in sorted(found, key=lambda rival: rival.ratio):
        if all(abs(one.thickness_nm - other) > APART_NM for other in (answer, *(each.thickness_nm for each in chosen))):
            chosen.append(one)
    return chosen[:RIVALS]
