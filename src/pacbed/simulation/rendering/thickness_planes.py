"""Spline coefficients of one thickness, where a single pattern reads them; the last ones are kept."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numba import njit

from pacbed.patterns import Geometry
from pacbed.simulation.rendering.kernels.detector import FAR, clipped, field_ranges
from pacbed.simulation.rendering.kernels.tables import NodeBox
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.spline import spline_weights

KEPT = 6  # thicknesses, and regions of the table
WHOLE = 16  # pairs that compiled loops take at once; as many that nobody wants are read to join two runs
STILL = 1e-9  # mrad; an axis that moves less from node to node stands still


@dataclass
class _Plane:
    values: np.ndarray
    users: int = 1  # patterns being rendered from it


class ThicknessPlanes:
    """Makes the coefficients of one thickness from those of the four planes around it. Safe to share among threads.

    Memory of dropped planes serves again: new memory costs as long as half a pattern until it has been written to once.

    Parameters
    ----------
    table : RockingTable
    margin_mrad : float
        How far from a pixel its nodes may lie [mrad].
    """

    def __init__(self, table: RockingTable, margin_mrad: float) -> None:
        self._table, self._margin = table, margin_mrad
        self._angles, self._group = table.beams_mrad, table.exact_group
        self._lock = Lock()
        self._planes: OrderedDict[tuple[float, ...], _Plane] = OrderedDict()
        self._runs: OrderedDict[tuple[float, ...], np.ndarray] = OrderedDict()
        self._spare: list[np.ndarray] = []

    @contextmanager
    def at(
        self, thickness_nm: float, radius_mrad: float, geometry: Geometry, mistilt_mrad: np.ndarray
    ) -> Iterator[np.ndarray]:
        """Coded coefficients, int16 of shape (pair,), while the context lasts; those that no pixel reads are anything.

        Parameters
        ----------
        thickness_nm : float
        radius_mrad : float
            Largest incident direction of the pattern [mrad].
        geometry : Geometry
            Its pixels.
        mistilt_mrad : ndarray, shape (2,)
        """
        # Thickness changes less often than anything else in a fit: rounding up lets its coefficients serve again.
        radius = min(self._table.cone_mrad, math.ceil(radius_mrad)) + self._margin + 1e-6
        half_x, half_y = np.ceil(half_widths_mrad(geometry, mistilt_mrad, self._group) + self._margin).tolist()
        plane = self._taken(float(thickness_nm), (radius, half_x, half_y))
        try:
            yield plane.values
        finally:
            with self._lock:
                plane.users -= 1
                self._drop()

    def _taken(self, thickness_nm: float, region: tuple[float, float, float]) -> _Plane:
        """The plane of a thickness, with one more user."""
        key = (thickness_nm, *region)
        with self._lock:
            if key in self._planes:
                self._planes.move_to_end(key)
                self._planes[key].users += 1
                return self._planes[key]
            out = self._spare.pop() if self._spare else np.empty(self._table.codes.shape[1], dtype=np.int16)
        first, weights = planes_around(self._table, np.array([thickness_nm]))
        combine_planes(self._table.codes, first[0], weights[0], self._wanted(region), out)
        with self._lock:
            self._planes[key] = _Plane(out)
            return self._planes[key]

    def _wanted(self, region: tuple[float, float, float]) -> np.ndarray:
        """Runs of pairs in a region, see `wanted_runs`."""
        with self._lock:
            if region not in self._runs:
                table = self._table
                self._runs[region] = wanted_runs(table.rows, self._angles, table.pitch_mrad, *region)
            self._runs.move_to_end(region)
            while len(self._runs) > KEPT:
                self._runs.popitem(last=False)
            return self._runs[region]

    def _drop(self) -> None:
        """Forget the planes that were not used for longest, but none in use."""
        idle = [key for key, plane in self._planes.items() if plane.users == 0]
        for key in idle[: max(0, len(self._planes) - KEPT)]:
            self._spare = [*self._spare[1 - KEPT :], self._planes.pop(key).values]


def planes_around(table: RockingTable, thicknesses_nm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First of the four coefficients that each thickness combines, and their weights, (thickness,) and (.., 4)."""
    position = thicknesses_nm / table.plane_spacing_nm
    below = np.floor(position).astype(np.int64)
    below = np.clip(below, table.first_plane + 1, table.first_plane + len(table.codes) - 3)
    return below - 1 - table.first_plane, spline_weights(position - below).astype(np.float32)


def half_widths_mrad(geometry: Geometry, mistilt_mrad: np.ndarray, operations: np.ndarray) -> np.ndarray:
    """Half width along x and y of a box around the origin that holds an image and all that symmetry makes of it [mrad].

    Parameters
    ----------
    geometry : Geometry
        Pixels of the image.
    mistilt_mrad : ndarray, shape (2,)
        Added to the angles of the pixels.
    operations : ndarray, shape (operation, 2, 2)
        Cartesian.
    """
    origin, down, right = geometry.lines_mrad()
    ends = [[row, column] for row in (0, geometry.shape[0] - 1) for column in (0, geometry.shape[1] - 1)]
    corners = origin + np.array(ends) @ np.stack([down, right]) + mistilt_mrad
    widths: np.ndarray = np.abs(np.einsum("oij,cj->oci", operations, corners)).max(axis=(0, 1))
    return widths


@njit(nogil=True, cache=True, fastmath=True)
def wanted_runs(rows, angles, pitch, radius, half_x, half_y):
    """Pairs whose direction lies within a radius and whose scattered direction lies in a box around the axis.

    Returns
    -------
    ndarray of int64, shape (run, 2)
        First and one past the last of neighbours in the table.
    """
    lowest = np.min(rows[:, 1])
    ranges = field_ranges(NodeBox(lowest, np.max(rows[:, 1]) + 1, -FAR, FAR), pitch, radius)
    runs, used, at = np.empty((len(rows), 2), dtype=np.int64), 0, 0
    for row in range(len(rows)):
        beam, m1, m2, count = rows[row]
        low, high = max(ranges[m1 - lowest, 0], m2), min(ranges[m1 - lowest, 1], m2 + count)
        low, high = _in_strip(angles[beam, 0] + m1 * pitch[0, 0], pitch[1, 0], half_x, low, high)
        low, high = _in_strip(angles[beam, 1] + m1 * pitch[0, 1], pitch[1, 1], half_y, low, high)
        if low < high:
            if used > 0 and at + low - m2 - runs[used - 1, 1] <= WHOLE:
                used -= 1
            else:
                runs[used, 0] = at + low - m2
            runs[used, 1] = at + high - m2
            used += 1
        at += count
    return runs[:used].copy()


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _in_strip(start, step, half, low, high):
    """First and one past the last s, of those from `low` to `high` - 1, where start + s step is not beyond +- half."""
    if abs(step) < STILL:
        return low, (high if abs(start) <= half else low)
    return clipped(-start / step, half / abs(step), low, high)


@njit(nogil=True, cache=True, fastmath=True)
def combine_planes(codes, first, weights, runs, out):
    """Fill in runs of `out`, shape (pair,), with the weighted sum of four coefficient planes.

    It has codes like those of the planes, because a pattern takes as long as its coefficients take to arrive.
    """
    w0, w1, w2, w3 = weights
    plane0, plane1, plane2, plane3 = codes[first], codes[first + 1], codes[first + 2], codes[first + 3]
    for run in range(len(runs)):
        begin, end = runs[run, 0], runs[run, 1]
        # What lies beyond the end is right as well, and whole vectors of pairs take less time than their rest does.
        for pair in range(np.uintp(begin), np.uintp(min(begin + -(-(end - begin) // WHOLE) * WHOLE, len(out)))):
            c0, c1 = np.float32(plane0[pair]), np.float32(plane1[pair])
            c2, c3 = np.float32(plane2[pair]), np.float32(plane3[pair])
            value = w0 * c0 * abs(c0) + w1 * c1 * abs(c1) + w2 * c2 * abs(c2) + w3 * c3 * abs(c3)
            root = math.copysign(math.sqrt(abs(value)), value)
            out[pair] = np.int16(root + math.copysign(np.float32(0.5), value))
