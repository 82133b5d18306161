"""The published cell in parallel projection, slightly from above: a towards the reader, b to the right, c up."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from pacbed.crystal.cell import Crystal
from pacbed.crystal.drawing.columns import DrawnSite, sites_of
from pacbed.crystal.drawing.discs import composition_radius_a, draw_disc

AZIMUTH_DEG, ELEVATION_DEG = 20.0, 12.0
ON_FACE = 1e-3  # fractional; such sites are drawn on the opposite face as well
# A line joins neighbours whose distance is at most this times the least distance of either: the first shell.
FIRST_SHELL, ONE_ATOM_A = 1.2, 0.5
MANY_SITES = 400  # bonds of more than these hide everything
LABEL_A = 0.65  # from the end of an edge to its name: atoms lie there
BEHIND = 1e-3  # a line ends behind the disc at its farther end


class Depth(NamedTuple):
    """Range of the heights of sites towards the reader [Å], and what is drawn on top of what."""

    farthest: float
    nearest: float

    def order(self, height: float) -> float:
        """Order of drawing at a height, 2 to 3 for sites."""
        return 2 + (height - self.farthest) / max(1e-6, self.nearest - self.farthest)


def draw_unit_cell(axes: Axes, crystal: Crystal, colours: Mapping[str, str]) -> None:
    """Draw the sites of the published cell, those on faces repeated, with first neighbours joined.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    crystal : Crystal
        As published.
    colours : mapping of str to str
        By chemical symbol.
    """
    sites = _with_faces(sites_of(crystal), crystal.cell)
    view = _view()
    places = np.array([site.position for site in sites]) @ view.T
    depth = Depth(float(places[:, 2].min()), float(places[:, 2].max()))
    _draw_edges(axes, crystal.cell, view, depth)
    for first, second in _bonds(sites):
        order = depth.order(min(places[first, 2], places[second, 2])) - BEHIND
        axes.plot(*places[[first, second], :2].T, color="0.35", lw=1.6, zorder=order)
    for site, place in zip(sites, places, strict=True):
        radius = 0.8 * composition_radius_a(site.composition)
        draw_disc(axes, place[:2], radius, site.composition, colours, order=depth.order(place[2]))
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.margins(0.04)
    axes.set_axis_off()


def _view() -> np.ndarray:
    """Rows: to the right, up, towards the reader; a along x, c near z."""
    azimuth, elevation = np.deg2rad([AZIMUTH_DEG, ELEVATION_DEG])
    near = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    return np.array([right, np.cross(near, right), near])


def _with_faces(sites: list[DrawnSite], cell: np.ndarray) -> list[DrawnSite]:
    repeated = []
    for site in sites:
        fractional = site.position @ np.linalg.inv(cell)
        shifts = [(0, 1) if value < ON_FACE else (-1, 0) if value > 1 - ON_FACE else (0,) for value in fractional]
        repeated += [DrawnSite(site.position + np.array(shift) @ cell, site.composition) for shift in product(*shifts)]
    return repeated


def _bonds(sites: list[DrawnSite]) -> list[tuple[int, int]]:
    """Pairs of sites that are first neighbours of each other."""
    if not 1 < len(sites) <= MANY_SITES:
        return []
    positions = np.array([site.position for site in sites])
    distance = np.linalg.norm(positions[:, None] - positions, axis=-1)
    distance[distance < ONE_ATOM_A] = np.inf
    nearest = distance.min(axis=1)
    first, second = np.nonzero(distance <= FIRST_SHELL * np.minimum(nearest[:, None], nearest))
    return [(i, j) for i, j in zip(first.tolist(), second.tolist(), strict=True) if i < j]


def _draw_edges(axes: Axes, cell: np.ndarray, view: np.ndarray, depth: Depth) -> None:
    """The twelve edges of the cell, those behind thin; names at the ends of the three from the origin."""
    corners = np.array(list(product((0, 1), repeat=3)))
    places = corners @ cell @ view.T
    hidden = places[:, 2].argmin()
    for first, second in combinations(range(8), 2):
        if np.abs(corners[first] - corners[second]).sum() == 1:
            behind = hidden in (first, second)
            order = depth.order(min(places[first, 2], places[second, 2])) - BEHIND
            axes.plot(*places[[first, second], :2].T, color="0.6" if behind else "black", lw=0.8 if behind else 1.1,
                      ls="--" if behind else "-", zorder=order)  # fmt: skip
    away = 0.04 * np.linalg.norm(cell, axis=1).max() + LABEL_A
    for vector, name in zip(cell @ view.T, "abc", strict=True):
        x, y = vector[:2] + away * vector[:2] / max(1e-6, np.linalg.norm(vector[:2]))
        axes.text(x, y, name, style="italic", ha="center", va="center", fontsize=11)
        axes.plot(x, y, alpha=0)  # names count for the limits
