"""What lies behind one another: atoms that share a site, sites that share a column along the beam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from pacbed.crystal.cell import SAME_SITE_A, Crystal

SAME_COLUMN_A = 0.1
Composition = tuple[tuple[str, float], ...]


class DrawnSite(NamedTuple):
    """A place where atoms are.

    Attributes
    ----------
    position : ndarray, shape (3,)
        Cartesian [Å].
    composition : tuple of (str, float)
        Chemical symbol and occupancy of each element there.
    """

    position: np.ndarray
    composition: Composition


class Column(NamedTuple):
    """Sites in line along the beam.

    Attributes
    ----------
    center : ndarray, shape (2,)
        In the plane normal to the beam [Å].
    compositions : tuple of Composition
        Those that occur, each once.
    """

    center: np.ndarray
    compositions: tuple[Composition, ...]


def sites_of(crystal: Crystal) -> list[DrawnSite]:
    """Places of one cell: atoms of a mixed site are one, at fractional coordinates from 0 to below 1.

    Parameters
    ----------
    crystal : Crystal
        Any unit cell.
    """
    fractional = crystal.fractional
    wrapped = fractional - np.floor(fractional + 1e-6)
    sites = []
    for members in _periodic_groups(wrapped, crystal.cell, SAME_SITE_A):
        amounts: dict[str, float] = {}
        for index in members:
            symbol = crystal.symbols[index]
            amounts[symbol] = amounts.get(symbol, 0.0) + float(crystal.occupancy[index])
        composition = tuple(sorted(((name, round(amount, 4)) for name, amount in amounts.items()), key=_by_amount))
        sites.append(DrawnSite(wrapped[members[0]] @ crystal.cell, composition))
    return sites


def columns_of(sites: Iterable[DrawnSite]) -> list[Column]:
    """Columns along z of sites that have been laid out in the plane, those of one another's images apart.

    Parameters
    ----------
    sites : iterable of DrawnSite
        Beam along +z.
    """
    sites = list(sites)
    plane = np.array([site.position[:2] for site in sites]).reshape(-1, 2)
    columns = []
    for members in _groups(plane, SAME_COLUMN_A):
        compositions = dict.fromkeys(sites[index].composition for index in members)
        columns.append(Column(plane[members].mean(axis=0), tuple(compositions)))
    return columns


def laid_out(sites: Iterable[DrawnSite], cell: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[DrawnSite]:
    """Periodic images of sites inside a rectangle normal to the beam, by the two in-plane vectors of a cell.

    Parameters
    ----------
    sites : iterable of DrawnSite
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows [Å]; what the first two have along the beam does not count.
    low, high : ndarray, shape (2,)
        Corners of the rectangle [Å].
    """
    plane = cell[:2, :2]
    corners = np.array([[x, y] for x in (low[0], high[0]) for y in (low[1], high[1])]) @ np.linalg.inv(plane)
    # A site lies up to one cell from the corner of its own, two where the third vector leans.
    first, last = np.floor(corners.min(axis=0)).astype(int) - 2, np.ceil(corners.max(axis=0)).astype(int) + 2
    images = []
    for i in range(first[0], last[0] + 1):
        for j in range(first[1], last[1] + 1):
            shift = np.append(np.array([i, j]) @ plane, 0.0)
            for site in sites:
                moved = site.position + shift
                if np.all((moved[:2] > low) & (moved[:2] < high)):
                    images.append(DrawnSite(moved, site.composition))
    return images


def _by_amount(part: tuple[str, float]) -> tuple[float, str]:
    return -part[1], part[0]


def _periodic_groups(fractional: np.ndarray, cell: np.ndarray, radius_a: float) -> list[np.ndarray]:
    """Numbers of the atoms of each place, images across the faces of the cell included."""
    shifts = np.indices((3, 3, 3)).reshape(3, -1).T - 1
    near = ((fractional[:, None] + shifts) @ cell).reshape(-1, 3)
    pairs = cKDTree(fractional @ cell).query_ball_point(near, radius_a)
    links = [(index // len(shifts), other) for index, others in enumerate(pairs) for other in others]
    return _linked(np.array(links), len(fractional))


def _groups(points: np.ndarray, radius_a: float) -> list[np.ndarray]:
    """Numbers of the points of each cluster."""
    pairs = cKDTree(points).query_pairs(radius_a, output_type="ndarray")
    return _linked(pairs, len(points))


def _linked(links: np.ndarray, count: int) -> list[np.ndarray]:
    links = links.reshape(-1, 2)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(count, count))
    number, label = connected_components(graph, directed=False)
    return [np.flatnonzero(label == index) for index in range(number)]
