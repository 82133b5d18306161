"""Atoms as discs: one colour, or sectors for what shares a site; rings for what lies behind one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Wedge

from pacbed.crystal.drawing.appearance import VACANT, disc_radius_a
from pacbed.crystal.drawing.columns import Composition

FULL = 0.998  # an occupancy this near to 1 is rounded
INNER = 0.6  # radius of a disc in front of another one in its column
EDGE: dict[str, Any] = {"edgecolor": "black", "linewidth": 0.6}


def composition_radius_a(composition: Composition) -> float:
    """Radius of the disc of a site [Å], that of its largest element."""
    return max(disc_radius_a(symbol) for symbol, _ in composition)


def stacked(compositions: Sequence[Composition], scale: float = 1.0) -> list[tuple[Composition, float]]:
    """Compositions of a column with their radii [Å], the largest first and each smaller than the one behind it.

    Parameters
    ----------
    compositions : sequence of Composition
    scale : float
        Factor on all radii.
    """
    ordered = sorted(compositions, key=composition_radius_a, reverse=True)
    radii: list[float] = []
    for composition in ordered:
        own = scale * composition_radius_a(composition)
        radii.append(min(own, INNER * radii[-1]) if radii else own)
    return list(zip(ordered, radii, strict=True))


def draw_disc(
    axes: Axes,
    center: Sequence[float] | np.ndarray,
    radius: float,
    composition: Composition,
    colours: Mapping[str, str],
    *,
    order: float,
) -> None:
    """Draw one site: a disc, or clockwise from the top the sectors of its elements and, in white, of vacancies.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    center : sequence of two float
    radius : float
        In the units of the axes.
    composition : Composition
    colours : mapping of str to str
        By chemical symbol.
    order : float
        What is drawn on top of what.
    """
    x, y = float(center[0]), float(center[1])
    if len(composition) == 1 and composition[0][1] >= FULL:
        axes.add_patch(Circle((x, y), radius, facecolor=colours[composition[0][0]], zorder=order, **EDGE))
        return
    axes.add_patch(Circle((x, y), radius, facecolor=VACANT, zorder=order, **EDGE))
    down = axes.yaxis_inverted()
    angle = -90.0 if down else 90.0
    for symbol, occupancy in composition:
        step = 360 * occupancy if down else -360 * occupancy
        first, last = sorted((angle, angle + step))
        axes.add_patch(Wedge((x, y), radius, first, last, facecolor=colours[symbol], zorder=order, **EDGE))
        angle += step
