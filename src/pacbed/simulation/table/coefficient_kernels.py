"""Compiled loops behind a gathered table: samples are sorted by orbit, and those of an orbit become coefficients.

Indices of inner loops are unsigned: with signed ones Numba tests each for being negative, and loops are not vectorised.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from pacbed.simulation.table.codes import COEFFICIENT_LEVELS, INTENSITY_LEVELS
from pacbed.simulation.table.spline import PREFILTER, PREFILTER_REACH, plane_matrix

TILE = 256  # nodes whose planes are combined at once: what a band of the matrix reads stays in the first cache
TAPS = PREFILTER[PREFILTER_REACH:].astype(np.float32)  # from the middle outwards
NEGLIGIBLE = 1e-8  # share of a plane in a coefficient that single precision does not see


@njit(nogil=True, cache=True)
def sort_pairs(chunk, rank, out):
    """Sort the columns of some planes.

    Parameters
    ----------
    chunk : ndarray of uint16, shape (plane, pair)
        Codes of intensities.
    rank : ndarray of int32, shape (pair,)
        Column that each comes to.
    out : ndarray of uint16, shape (plane, pair)
        Receives them.
    """
    for plane in range(np.uintp(len(chunk))):
        row, to = chunk[plane], out[plane]
        for pair in range(np.uintp(len(row))):
            to[rank[pair]] = row[pair]


class PlaneFilter(NamedTuple):
    """From samples at thickness planes to spline coefficients.

    Attributes
    ----------
    matrix : ndarray of float32, shape (coefficient, plane)
        `plane_matrix` of the planes.
    band : ndarray of int, shape (coefficient, 2)
        First and one past the last entry of each row that counts.
    """

    matrix: np.ndarray
    band: np.ndarray


def plane_filter(planes: int) -> PlaneFilter:
    """The filter of so many thickness planes, the entrance surface included."""
    matrix = plane_matrix(planes)
    counts = np.abs(matrix) > NEGLIGIBLE
    band = np.stack([counts.argmax(axis=1), planes - counts[:, ::-1].argmax(axis=1)], axis=1)
    return PlaneFilter(matrix.astype(np.float32), band)


class OrbitNodes(NamedTuple):
    """Where the nodes of one beam have their samples and their coefficients.

    Attributes
    ----------
    source : ndarray of int32, shape (m1, m2)
        Column among the samples of each node of a box, -1 where it has none. The box reaches further than the nodes
        that are picked, by the reach of the prefilter on every side.
    picked : ndarray of int32, shape (node,)
        Nodes whose coefficients are wanted: flat indices into the box without that margin.
    target : ndarray of int32, shape (node,)
        Columns of their coefficients, in ascending order.
    """

    source: np.ndarray
    picked: np.ndarray
    target: np.ndarray


@njit(nogil=True, cache=True, fastmath=True)
def orbit_coefficients(samples, nodes, thickness, values, codes):
    """Spline coefficients of one beam at all nodes of its orbit.

    Parameters
    ----------
    samples : ndarray of uint16, shape (plane, sample)
        Codes of the intensities of the orbit.
    nodes : OrbitNodes
        Their columns in `samples` and in `codes`.
    thickness : PlaneFilter
        Of as many planes as the samples have.
    values : ndarray of float32, shape (tile, plane, TILE)
        Scratch, with room for all nodes: NumPy takes it from the system at a sixth of what it costs here.
    codes : ndarray of int16, shape (coefficient, pair)
        Receives the coded coefficients.

    Returns
    -------
    float
        The largest code before it is rounded; what exceeds 32767 was too large to be stored.
    """
    source, picked, target = nodes
    matrix, band = thickness
    across = np.empty((source.shape[0], source.shape[1] - 2 * PREFILTER_REACH), dtype=np.float32)
    filtered = np.empty((source.shape[0] - 2 * PREFILTER_REACH, across.shape[1]), dtype=np.float32)
    line = np.empty(source.shape[1], dtype=np.float32)
    for plane in range(len(samples)):
        _filter_plane(samples[plane], source, line, across, filtered)
        flat = filtered.ravel()
        for tile in range(len(values)):
            to, chosen = values[tile, plane], picked[tile * TILE : (tile + 1) * TILE]
            for node in range(np.uintp(len(chosen))):
                to[node] = flat[np.uintp(chosen[node])]
    roots = np.zeros(TILE, dtype=np.float32)
    for tile in range(len(values)):
        _encode_tile(values[tile], target[tile * TILE : (tile + 1) * TILE], matrix, band, roots, codes)
    return roots.max()


@njit(nogil=True, cache=True, fastmath=True)
def _filter_plane(row, source, line, across, filtered):
    """Decode the samples of one plane and filter them along both axes."""
    t0, t1, t2, t3, t4, t5 = TAPS
    for i in range(len(source)):
        columns, out = source[i], across[i]
        for j in range(np.uintp(len(line))):
            at = columns[j]
            root = np.float32(row[np.uintp(at)]) if at >= 0 else np.float32(0.0)
            root *= np.float32(1.0 / INTENSITY_LEVELS)
            line[j] = root * root
        for j in range(np.uintp(len(out))):
            near = t2 * (line[j + 3] + line[j + 7]) + t1 * (line[j + 4] + line[j + 6]) + t0 * line[j + 5]
            far = t4 * (line[j + 1] + line[j + 9]) + t3 * (line[j + 2] + line[j + 8])
            out[j] = t5 * (line[j] + line[j + 10]) + far + near
    for i in range(np.uintp(len(filtered))):
        a, b, c, d, e, middle = across[i], across[i + 1], across[i + 2], across[i + 3], across[i + 4], across[i + 5]
        f, g, h, k, m = across[i + 6], across[i + 7], across[i + 8], across[i + 9], across[i + 10]
        out = filtered[i]
        for j in range(np.uintp(len(out))):
            near = t2 * (d[j] + g[j]) + t1 * (e[j] + f[j]) + t0 * middle[j]
            out[j] = t5 * (a[j] + m[j]) + t4 * (b[j] + k[j]) + t3 * (c[j] + h[j]) + near


@njit(nogil=True, cache=True, fastmath=True)
def _encode_tile(values, target, matrix, band, roots, codes):
    """Combine the planes of some nodes and code the result; `roots` keeps the largest."""
    levels = np.float32(COEFFICIENT_LEVELS)
    line, coded = np.empty(TILE, dtype=np.float32), np.empty(TILE, dtype=np.int16)
    nodes = np.uintp(len(target))
    for coefficient in range(len(matrix)):
        line[:] = 0.0
        for plane in range(band[coefficient, 0], band[coefficient, 1]):
            weight, row = matrix[coefficient, plane], values[plane]
            for node in range(nodes):
                line[node] += weight * row[node]
        for node in range(nodes):
            root = math.sqrt(abs(line[node])) * levels
            roots[node] = max(roots[node], root)  # one per node: a single one would keep the loop from being vectorised
            coded[node] = np.int16(math.copysign(np.rint(root), line[node]))
        out = codes[coefficient]
        for node in range(nodes):
            out[np.uintp(target[node])] = coded[node]
