"""Curves as SVG within a page: told apart by dashes and marks, so that no colour is needed."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from pacbed.service.pages.show import ENVIRONMENT

WIDTH, HEIGHT = 440, 300  # a phone shows it at nearly this size
LEFT, RIGHT, BELOW, ABOVE, ROW = 62, 16, 46, 10, 21
TICKS_ALONG, TICKS_UP = 6, 5
FEWEST_UNITS = 1e-3  # what an axis spans at least


class Curve(NamedTuple):
    """One line of a chart.

    Attributes
    ----------
    name : str
    points : sequence of (float, float)
        From left to right.
    """

    name: str
    points: Sequence[tuple[float, float]]


class Chart(NamedTuple):
    """Curves over axes that begin at zero.

    Attributes
    ----------
    title : str
        What somebody is told who does not see it.
    x, y : str
        Names of the axes, with their units.
    curves : sequence of Curve
        The most important one first; their looks go by their order.
    """

    title: str
    x: str
    y: str
    curves: Sequence[Curve]


class Place(NamedTuple):
    """Somewhere on the drawing.

    Attributes
    ----------
    x, y : float
        From its left and upper edge.
    """

    x: float
    y: float


class Tick(NamedTuple):
    """A mark at an axis.

    Attributes
    ----------
    at : float
        Along the axis, on the drawing.
    label : str
    """

    at: float
    label: str


class _Axis:
    """From values to places along one axis."""

    def __init__(self, largest: float, begin: float, end: float, *, ticks: int, tight: bool = False) -> None:
        largest = max(largest, FEWEST_UNITS)
        values = [float(v) for v in MaxNLocator(ticks, steps=(1, 2, 5, 10)).tick_values(0, largest)]
        self._last, self._begin, self._end = largest if tight else values[-1], begin, end
        self._values = [value for value in values if 0 <= value <= self._last]

    def at(self, value: float) -> float:
        return round(self._begin + (self._end - self._begin) * value / self._last, 1)

    def ticks(self) -> list[Tick]:
        return [Tick(self.at(value), f"{value:.4g}") for value in self._values]


def draw(chart: Chart) -> Markup:
    """The drawing, as a part of a page; a chart without finite points is an empty text.

    Parameters
    ----------
    chart : Chart
    """
    curves = [Curve(one.name, [p for p in one.points if isfinite(p[0]) and isfinite(p[1])]) for one in chart.curves]
    points = [point for curve in curves for point in curve.points]
    if not points:
        return Markup()
    top = ABOVE + ROW * len(curves)
    x = _Axis(max(point[0] for point in points), LEFT, WIDTH - RIGHT, ticks=TICKS_ALONG, tight=True)
    y = _Axis(max(point[1] for point in points), HEIGHT + top - BELOW, top, ticks=TICKS_UP)
    drawn = [
        (number, curve.name, [Place(x.at(h), y.at(v)) for h, v in curve.points], ABOVE + ROW * number + ROW / 2)
        for number, curve in enumerate(curves)
    ]
    size = {"width": WIDTH, "height": HEIGHT + top, "left": LEFT, "right": WIDTH - RIGHT, "top": top, "below": BELOW}
    return Markup(
        ENVIRONMENT.get_template("chart.svg").render(chart=chart, curves=drawn, x=x.ticks(), y=y.ticks(), **size)
    )
