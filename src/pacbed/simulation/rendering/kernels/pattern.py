"""One pattern from the coefficients of one thickness; compiled, and the GIL is released.

A pattern is a sum over beams G, see `pacbed.simulation.rendering.renderer`. The intensity of each is a cubic spline
over the incident direction, with coefficients on nodes. G lies on nodes, so the weights of a pixel's sixteen nodes are
the same for every G. The coefficients of all beams whose disk holds a node are therefore summed first and interpolated
once. Only where a pixel's nodes straddle the edge of a disk does the beam need a correction of its own: its aperture
times its own spline, less what the sum holds of it.

Indices of inner loops are unsigned: with signed ones Numba tests each for being negative, and loops are not vectorised.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from pacbed.simulation.rendering.kernels.detector import (
    FAR,
    aperture,
    clipped,
    detector_box,
    field_ranges,
    pixel_stencils,
    ring_columns,
    ring_rows,
)
from pacbed.simulation.rendering.kernels.disks import disk_runs
from pacbed.simulation.rendering.kernels.tables import NodeBox
from pacbed.simulation.rendering.kernels.vectors import edge_patch, spline_patch
from pacbed.simulation.table.codes import SCALE


class Disk(NamedTuple):
    """How a disk is read along one axis: the axis that rows run along, its `RUN`s, and `DirectionTable.step`."""

    axis: int
    runs: np.ndarray
    step: np.ndarray


class BeamSum(NamedTuple):
    """What the disks of all beams add up to along one axis.

    Attributes
    ----------
    first_row, first_column : int
        Indices of the first node, along the axis of the rows and along the other.
    field : ndarray of int64, shape (row, 2)
        First column in the field and one past the last.
    nodes : ndarray of float32, shape (row, column)
        The sum.
    """

    first_row: int
    first_column: int
    field: np.ndarray
    nodes: np.ndarray


class Ring(NamedTuple):
    """The nodes around the edge of one beam's disk.

    Attributes
    ----------
    first1, first2 : int
        Indices of the first node, for a beam on the optic axis.
    coefficients : ndarray of float32, shape (row, column)
        Of the beam at hand; every beam fills the same nodes, the others are zero.
    summed : ndarray of float32, shape (row, column)
        1 where the sum over beams holds the node, else 0.
    """

    first1: int
    first2: int
    coefficients: np.ndarray
    summed: np.ndarray


@njit(nogil=True, cache=True, fastmath=True)
def render_pattern(table, scene, out):
    """One pattern.

    Parameters
    ----------
    table : PlaneTable
        Coefficients of one thickness.
    scene : Scene
        Crystal, incident directions and pixels.
    out : ndarray of float32, shape (ny, nx)
        Receives the fraction of the beam per pixel.
    """
    light, pairs = scene.light, table.pairs
    tilt, alpha, edge, reach = light.mistilt_mrad, light.convergence_mrad, light.edge_mrad, scene.frame.reach_mrad
    pitch, field = scene.frame.pitch_mrad, scene.frame.field_mrad + scene.frame.reach_mrad
    across = np.ascontiguousarray(pitch[::-1])
    box = detector_box(scene.lines_mrad, out.shape, tilt, scene.frame.inverse)
    turned_box = NodeBox(box.first2, box.stop2, box.first1, box.stop1)
    rows, columns = box.stop1 - box.first1, box.stop2 - box.first2
    down = BeamSum(box.first1, box.first2, field_ranges(box, pitch, field), np.zeros((rows, columns), np.float32))
    turned = np.zeros((columns, rows), dtype=np.float32)
    right = BeamSum(box.first2, box.first1, field_ranges(turned_box, across, field), turned)
    # Pixels of the ring are touched by nodes on the disk down to `core`, and by nodes outside it up to `far`.
    core, far, width = alpha - 0.5 * edge - reach, alpha + 0.5 * edge + reach, max(0.5 * edge, reach)
    along1, along2 = table.along
    disk1 = Disk(0, disk_runs(along1, tilt, pitch, core, alpha, far), along1.step)
    disk2 = Disk(1, disk_runs(along2, tilt, across, core, alpha, far), along2.step)
    ring = _empty_ring(disk1.runs, disk2.runs, tilt, scene.frame.inverse, alpha + width + reach)
    stencils = pixel_stencils(scene, out.shape, box)
    out[:] = 0.0
    beams, steps, ring_shape = pairs.beams, pairs.steps, ring.summed.shape
    for beam in range(len(beams)):
        at1, at2 = ring.first1 + beams[beam, 0] * steps[0], ring.first2 + beams[beam, 1] * steps[1]
        if (
            at1 >= box.stop1
            or at2 >= box.stop2
            or at1 + ring_shape[0] <= box.first1
            or at2 + ring_shape[1] <= box.first2
        ):
            continue
        _take_beam(table.codes, pairs, disk1, beam, down, ring)
        _take_beam(table.codes, pairs, disk2, beam, right, ring)
        _correct_edge(beam, at1, at2, ring, scene, stencils, out)
    _add_turned(turned, down.nodes)
    _interpolate(down.nodes, box, stencils, light.pixel_share * SCALE, out)


@njit(nogil=True, cache=True, fastmath=True)
def _add_turned(turned, total):
    """Add a transposed array, eight rows at a time, so that a line of memory is read once."""
    columns, whole = np.uintp(total.shape[1]), total.shape[0] // 8 * 8
    for first in range(np.uintp(0), np.uintp(whole), np.uintp(8)):
        for column in range(columns):
            for k in range(np.uintp(8)):
                total[first + k, column] += turned[column, first + k]
    for row in range(np.uintp(whole), np.uintp(total.shape[0])):
        for column in range(columns):
            total[row, column] += turned[column, row]


@njit(nogil=True, cache=True, fastmath=True)
def _empty_ring(runs1, runs2, tilt, inverse, radius):
    """The `Ring` of all beams within a radius of the mistilt, its coefficients still zero."""
    half1, half2 = radius * np.hypot(inverse[0, 0], inverse[1, 0]), radius * np.hypot(inverse[0, 1], inverse[1, 1])
    first1, stop1 = clipped(tilt[0] * inverse[0, 0] + tilt[1] * inverse[1, 0], half1, -FAR, FAR)
    first2, stop2 = clipped(tilt[0] * inverse[0, 1] + tilt[1] * inverse[1, 1], half2, -FAR, FAR)
    coefficients = np.zeros((stop1 - first1, stop2 - first2), dtype=np.float32)
    summed = np.zeros_like(coefficients)
    for k in range(len(runs1)):
        run = runs1[k]
        summed[run.row - first1, run.disk_begin - first2 : run.disk_end - first2] = 1.0
    for k in range(len(runs2)):
        run = runs2[k]
        summed[run.disk_begin - first1 : run.disk_end - first1, run.row - first2] = 1.0
    return Ring(first1, first2, coefficients, summed)


@njit(nogil=True, cache=True, fastmath=True)
def _take_beam(codes, pairs, disk, beam, beam_sum, ring):
    """Add the disk of a beam to the nodes of the detector and copy its ring, along one axis."""
    axis, runs, step = disk
    first_row, first_column, field, nodes = beam_sum
    row_start, beam_image, beams, steps, reach = pairs
    shift1, shift2 = beams[beam, axis] * steps[axis] - first_row, beams[beam, 1 - axis] * steps[1 - axis]
    first1, first2, coefficients, _summed = ring
    for k in range(len(runs)):
        run = runs[k]
        row = run.row + shift1
        if not 0 <= row < len(field):
            continue
        low, high = max(run.begin, field[row, 0] - shift2), min(run.end, field[row, 1] - shift2)
        if low >= high:
            continue
        way = step[run.operation]
        at = row_start[beam_image[run.operation, beam], run.first + reach] + run.second - way * run.begin
        begin, end = max(low, run.disk_begin), min(high, run.disk_end)
        if begin < end:
            r, to, source = np.uintp(row), np.uintp(begin + shift2 - first_column), np.uintp(at + way * begin)
            if way > 0:
                for j in range(np.uintp(end - begin)):
                    code = np.float32(codes[source + j])
                    nodes[r, to + j] += code * abs(code)
            else:
                for j in range(np.uintp(end - begin)):
                    code = np.float32(codes[source - j])
                    nodes[r, to + j] += code * abs(code)
        for side in range(2):
            first, last = (low, min(high, run.core_begin)) if side == 0 else (max(low, run.core_end), high)
            for n2 in range(first, last):
                code = np.float32(codes[np.uintp(at + way * n2)])
                if axis == 0:
                    coefficients[np.uintp(run.row - first1), np.uintp(n2 - first2)] = code * abs(code)
                else:
                    coefficients[np.uintp(n2 - first1), np.uintp(run.row - first2)] = code * abs(code)


@njit(nogil=True, cache=True, fastmath=True)
def _correct_edge(beam, at1, at2, ring, scene, stencils, out):
    """Correct the pixels around the edge of one disk, by what the aperture passes less what the sum holds.

    The ring's first node lies at (at1, at2) for this beam.
    """
    below1, weights1, below2, weights2 = stencils.below1, stencils.weights1, stencils.below2, stencils.weights2
    row1, column1 = np.uintp(stencils.row1), np.uintp(stencils.column1)
    row2, column2 = np.uintp(stencils.row2), np.uintp(stencils.column2)
    lines, beams_mrad, coefficients, summed = scene.lines_mrad, scene.frame.beams_mrad, ring.coefficients, ring.summed
    alpha, edge = scene.light.convergence_mrad, scene.light.edge_mrad
    width = max(0.5 * edge, scene.frame.reach_mrad)
    x0, y0 = lines[0, 0] - beams_mrad[beam, 0], lines[0, 1] - beams_mrad[beam, 1]
    first, last = ring_rows(x0, y0, lines, alpha + width, 0, out.shape[0])
    for row in range(first, last):
        x, y = x0 + row * lines[1, 0], y0 + row * lines[1, 1]
        columns = ring_columns(x, y, lines[2, 0], lines[2, 1], alpha, width, out.shape[1])
        for side in range(2):
            for column in range(columns[2 * side], columns[2 * side + 1]):
                px, py = x + column * lines[2, 0], y + column * lines[2, 1]
                share = aperture(math.sqrt(px * px + py * py), alpha, edge)
                r, c = np.uintp(row), np.uintp(column)
                s1, s2 = r * row1 + c * column1, r * row2 + c * column2
                i, j = np.uintp(below1[s1] - 1 - at1), np.uintp(below2[s2] - 1 - at2)
                out[r, c] += edge_patch(coefficients, summed, share, (i, j), weights1, weights2, (s1, s2))


@njit(nogil=True, cache=True, fastmath=True)
def _interpolate(total, box, stencils, scale, out):
    """Add the spline of the summed coefficients, scale, and clear what lies outside the field."""
    below1, weights1, below2, weights2 = stencils.below1, stencils.weights1, stencils.below2, stencils.weights2
    row1, column1 = np.uintp(stencils.row1), np.uintp(stencils.column1)
    row2, column2, visible = np.uintp(stencils.row2), np.uintp(stencils.column2), stencils.visible
    first1, first2 = box.first1, box.first2
    for row in range(out.shape[0]):
        out[row, : visible[row, 0]], out[row, visible[row, 1] :] = 0.0, 0.0
        for column in range(visible[row, 0], visible[row, 1]):
            r, c = np.uintp(row), np.uintp(column)
            s1, s2 = r * row1 + c * column1, r * row2 + c * column2
            i, j = np.uintp(below1[s1] - 1 - first1), np.uintp(below2[s2] - 1 - first2)
            out[r, c] = scale * (out[r, c] + spline_patch(total, (i, j), weights1, weights2, (s1, s2)))
