"""Corrections of a thickness series around the edges of the disks; compiled.

The sum over beams holds whole nodes: those on a disk. Where the nodes of a pixel straddle the edge of a beam's disk,
the pixel needs others of that beam than the sum has: each node with the share that the aperture passes at the pixel.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.detector import aperture, ring_columns, ring_rows
from pacbed.simulation.rendering.kernels.node_sums import LINE
from pacbed.simulation.rendering.kernels.vectors import add_weighted, prefetch


class FoundNodes(NamedTuple):
    """Nodes whose pair was looked up for one beam and band of rows, each of shape (m1, m2).

    Attributes
    ----------
    mark : ndarray of int32
        Beam and band that the entry belongs to.
    position : ndarray of int64
        Where the components of the pair begin.
    source : ndarray of int32
        Beam that the table holds them of, -1 for none.
    """

    mark: np.ndarray
    position: np.ndarray
    source: np.ndarray


class Corrections(NamedTuple):
    """Pairs that one row of pixels needs more, or less, of one beam than the sum holds.

    Attributes
    ----------
    position : ndarray of int64, shape (entry,)
        Where the components of a pair begin.
    weight : ndarray of float32, shape (entry,)
    group : ndarray of int32, shape (group, 3)
        Entries of one pixel and one beam of the table side by side: the first of them, that beam, and the pixel.
    """

    position: np.ndarray
    weight: np.ndarray
    group: np.ndarray


class Arc(NamedTuple):
    """Pixels of one row near the edge of a beam's disk, on one side of its middle.

    Attributes
    ----------
    beam, row : int
    x, y : float
        Angle of the row's first pixel from the beam [mrad].
    begin, end : int
        First column and one past the last.
    mark : int
        See `FoundNodes`.
    """

    beam: int
    row: int
    x: float
    y: float
    begin: int
    end: int
    mark: int


@njit(nogil=True, cache=True, fastmath=True)
def edge_memory(side, columns):
    """Empty `FoundNodes` and `Corrections` of a table with `side` nodes along each axis and of a row of pixels."""
    nodes, entries = (side, side), 16 * columns
    found = FoundNodes(
        np.zeros(nodes, dtype=np.int32), np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int32)
    )
    position, weight = np.empty(entries, dtype=np.int64), np.empty(entries, dtype=np.float32)
    return found, Corrections(position, weight, np.empty((entries + 1, 3), dtype=np.int32))


@njit(nogil=True, cache=True, fastmath=True)
def correct_band(table, scene, disk, stencils, first_row, last_row, memory, band):
    """Mend a few rows of pixels where their nodes straddle the edge of a beam's disk.

    Parameters
    ----------
    table : ComponentTable
    scene : Scene
    disk : ndarray of int32, shape (m1, 2)
        See `NodeSum`.
    stencils : Stencils
    first_row, last_row : int
        First row of the image and one past the last.
    memory : tuple
        From `edge_memory`.
    band : ndarray of float32, shape (row, column, component or more)
        Components of the pixels; brought up to date.
    """
    visible, codes, rank, lines = stencils.visible, table.codes, table.rank, scene.lines_mrad
    beams_mrad, alpha, edge = scene.frame.beams_mrad, scene.light.convergence_mrad, scene.light.edge_mrad
    _found, (position, weight, group) = memory
    flat, columns, pitch = band.reshape(-1), band.shape[1], band.shape[2]
    width = max(0.5 * edge, scene.frame.reach_mrad)
    for beam in range(np.uintp(len(beams_mrad))):
        x, y = lines[0, 0] - beams_mrad[beam, 0], lines[0, 1] - beams_mrad[beam, 1]
        begin_row, end_row = ring_rows(x, y, lines, alpha + width, first_row, last_row)
        mark = first_row * len(beams_mrad) + np.int64(beam) + 1
        for row in range(begin_row, end_row):
            x = lines[0, 0] + row * lines[1, 0] - beams_mrad[beam, 0]
            y = lines[0, 1] + row * lines[1, 1] - beams_mrad[beam, 1]
            ring = ring_columns(x, y, lines[2, 0], lines[2, 1], alpha, width, columns)
            low, high = visible[row, 0], visible[row, 1]
            if max(ring[0], low) >= min(ring[3], high):
                continue
            entries, groups = np.uintp(0), np.uintp(0)
            for side in range(2):
                arc = Arc(beam, row, x, y, max(ring[2 * side], low), min(ring[2 * side + 1], high), mark)
                entries, groups = _straddling(table, scene, disk, stencils, arc, memory, entries, groups)
            group[groups, 0] = entries
            for k in range(groups):
                at = ((row - first_row) * columns + group[k, 2]) * pitch
                runs = np.uintp(group[k, 0]), np.uintp(group[k + np.uintp(1), 0])
                add_weighted(flat, np.uintp(at), codes, position, weight, runs, np.uintp(rank[group[k, 1]]))


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _look_up(table, found, n1, n2, beam, mark):
    """Beam that the table holds a node's pair of, or -1; the first time also where it lies, which is fetched."""
    if found.mark[n1, n2] != mark:
        found.mark[n1, n2] = mark
        found.source[n1, n2] = -1
        taken = table.directions.operation[n1, n2]
        if taken >= 0:
            source, middle = np.uintp(table.pairs.beam_image[np.uintp(taken), beam]), len(found.mark) // 2
            row = np.uintp(table.directions.first[n1, n2] + middle)
            pair = table.pairs.row_start[source, row] + table.directions.second[n1, n2]
            found.source[n1, n2], found.position[n1, n2] = source, table.offset[source] + pair * table.rank[source]
            for line in range(0, table.rank[source] + LINE - 1, LINE):
                prefetch(table.codes, found.position[n1, n2] + line)
    return found.source[n1, n2]


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def _straddling(table, scene, disk, stencils, arc, memory, used, group):
    """List the nodes that count otherwise for a pixel than in the sum; returns the numbers of entries and groups."""
    found, (position, weight, groups) = memory
    beams, steps, scale = table.pairs.beams, table.pairs.steps, table.scale
    alpha, edge, lines = scene.light.convergence_mrad, scene.light.edge_mrad, scene.lines_mrad
    below1, weights1, below2, weights2 = stencils.below1, stencils.weights1, stencils.below2, stencils.weights2
    row1, column1, row2, column2 = stencils.row1, stencils.column1, stencils.row2, stencils.column2
    beam, row, middle = arc.beam, arc.row, len(disk) // 2
    shift1, shift2 = middle - beams[beam, 0] * steps[0], middle - beams[beam, 1] * steps[1]
    for column in range(arc.begin, arc.end):
        px, py = arc.x + column * lines[2, 0], arc.y + column * lines[2, 1]
        share = aperture(math.sqrt(px * px + py * py), alpha, edge)
        at1, at2 = np.uintp(row * row1 + column * column1), np.uintp(row * row2 + column * column2)
        low, last = below2[at2] - 1 + shift2, np.int32(-1)
        for a in range(4):
            # Beyond the table's nodes no disk holds any, as in the outermost row.
            n1 = np.uintp(min(max(below1[at1] - 1 + a + shift1, 0), len(disk) - 1))
            begin, stop = disk[n1, 0] + middle, disk[n1, 1] + middle
            if share == 1.0 and begin <= low and low + 4 <= stop:
                continue
            if share == 0.0 and (low + 4 <= begin or stop <= low):
                continue
            for b in range(4):
                have = np.float32(1.0) if begin <= low + b < stop else np.float32(0.0)
                if share == have:
                    continue
                n2 = np.uintp(low + b)
                source = _look_up(table, found, n1, n2, beam, arc.mark)
                if source < 0:
                    continue
                position[used] = found.position[n1, n2]
                weight[used] = weights1[at1, np.uintp(a)] * weights2[at2, np.uintp(b)] * (share - have) * scale[source]
                if source != last:
                    groups[group, 0], groups[group, 1], groups[group, 2] = used, source, column
                    last = source
                    group += np.uintp(1)
                used += np.uintp(1)
    return used, group
