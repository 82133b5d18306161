"""Values of a rocking table's spline at directions between its nodes, and beyond what it covers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from pacbed.simulation.table.codes import SCALE, encode
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.spline import STENCIL_REACH, four_weights, reach_mrad, spline_weights
from pacbed.simulation.table.wedge import Wedge, row_starts

PROJECTIONS = 40  # rounds of the projection onto the directions that a table covers
SAMPLE = tuple(spline_weights(0.0)[:2].astype(np.float32))  # weights of the planes beside a plane, and of itself


class AngleLimits(NamedTuple):
    """Angles that a table covers.

    Attributes
    ----------
    cone_mrad : float
        Largest incident direction [mrad].
    field_mrad : float
        Largest scattering angle that is kept [mrad].
    """

    cone_mrad: float
    field_mrad: float


def project(q: np.ndarray, angle: np.ndarray, limits: AngleLimits) -> tuple[np.ndarray, np.ndarray]:
    """Nearest directions that lie in the cone and scatter into the field.

    Parameters
    ----------
    q : ndarray, shape (pair, 2)
        Directions [mrad].
    angle : ndarray, shape (pair, 2)
        Angle of each pair's beam [mrad].
    limits : AngleLimits
        Cone and field [mrad].

    Returns
    -------
    ndarray, shape (pair, 2)
        Directions inside [mrad].
    ndarray of bool, shape (pair,)
        False where a beam has no such direction.
    """
    projected = np.array(q, dtype=float)
    beyond = ~_inside(projected, angle, limits)
    some, turn = projected[beyond], angle[beyond]
    for _ in range(PROJECTIONS):  # alternating projections onto two disks end in their intersection
        for shift, limit in ((0.0, limits.cone_mrad), (turn, limits.field_mrad)):
            out = some + shift
            size = np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
            some = out * np.minimum(1.0, (limit - 1e-3) / size) - shift
    projected[beyond] = some
    return projected, _inside(projected, angle, limits)


def _inside(q: np.ndarray, angle: np.ndarray, limits: AngleLimits) -> np.ndarray:
    within_cone = np.linalg.norm(q, axis=1) <= limits.cone_mrad
    return within_cone & (np.linalg.norm(q + angle, axis=1) <= limits.field_mrad)


class PairPositions(NamedTuple):
    """Where the coefficients of a beam and a node of the whole cone lie.

    Attributes
    ----------
    start : ndarray of int32, shape (beam, 2 reach + 1)
        Position of a coefficient minus its m2, for each beam and m1 + reach.
    operation : ndarray of int8, shape (2 reach + 1, 2 reach + 1)
        Of each node, the operation that takes it to its representative; -1 outside the cone.
    representative : ndarray of int64, shape (2 reach + 1, 2 reach + 1, 2)
        That representative.
    beam_image : ndarray of int32, shape (operation, beam)
        The beam that an operation takes a beam to.
    """

    start: np.ndarray
    operation: np.ndarray
    representative: np.ndarray
    beam_image: np.ndarray


def evaluate(
    table: RockingTable,
    q: np.ndarray,
    point: np.ndarray,
    covered: np.ndarray,
    beam: np.ndarray,
    planes: np.ndarray,
) -> np.ndarray:
    """Codes (plane, pair) of the intensities at the new nodes: 2 f(p) - f(2 p - q), which is f(q) where p = q.

    Of each pair: its node `q`, the nearest direction `point` that the table covers, both (pair, 2) [mrad], whether
    there is one, and its beam.
    """
    wedge = Wedge.of(
        table.pitch_mrad,
        table.cone_mrad + reach_mrad(table.pitch_mrad, STENCIL_REACH),
        table.operations,
        table.beams,
    )
    index = PairPositions(
        row_starts(table.rows, len(table.beams), wedge.reach),
        wedge.operation,
        wedge.representative.astype(np.int64),
        wedge.beam_image,
    )
    low = int(planes[0]) - 1 - table.first_plane  # a plane's value takes the coefficients before, at and after it
    codes = np.ascontiguousarray(table.codes[low : low + len(planes) + 2].T)
    mirrored, mirrored_covered = project(
        2 * point - q, table.beams_mrad[beam], AngleLimits(table.cone_mrad, table.field_mrad)
    )
    assert np.all(mirrored_covered | ~covered)
    inverse = np.linalg.inv(table.pitch_mrad)
    out = np.zeros((len(planes), len(q)), dtype=np.uint16)
    for pairs in np.array_split(np.arange(len(q)), max(1, len(q) // 100_000)):
        use = covered[pairs]
        values = _spline_values(codes, index, point[pairs] @ inverse, beam[pairs], use)
        beyond = use & (np.abs(point[pairs] - q[pairs]).max(axis=1) > 1e-9)
        again = _spline_values(codes, index, mirrored[pairs] @ inverse, beam[pairs], beyond)
        out[:, pairs] = encode(np.where(beyond[:, None], 2 * values - again, values).T)
    return out


@njit(nogil=True, cache=True, fastmath=True)
def _spline_values(codes, index, nodes, beams, needed):
    """Values of a table's spline at positions among its nodes; shape (pair, plane), zero where not needed."""
    reach = index.operation.shape[0] // 2
    out = np.zeros((len(nodes), codes.shape[1] - 2), dtype=np.float32)
    column = np.empty(codes.shape[1], dtype=np.float32)
    w = np.empty((2, 4), dtype=np.float32)
    beside, middle = SAMPLE
    for at in range(len(nodes)):
        if not needed[at]:
            continue
        corner = np.floor(nodes[at])
        for axis in range(2):
            four_weights(np.float32(nodes[at, axis] - corner[axis]), w, axis)
        column[:] = 0.0
        for a in range(4):
            for b in range(4):
                weight = w[0, a] * w[1, b] * SCALE
                if weight == 0.0:
                    continue
                n1, n2 = int(corner[0]) - 1 + a + reach, int(corner[1]) - 1 + b + reach
                taken = index.operation[n1, n2]
                source = index.beam_image[taken, beams[at]]
                pair = index.start[source, index.representative[n1, n2, 0] + reach] + index.representative[n1, n2, 1]
                for plane in range(len(column)):
                    code = np.float32(codes[pair, plane])
                    column[plane] += weight * code * abs(code)
        for plane in range(out.shape[1]):
            out[at, plane] = beside * (column[plane] + column[plane + 2]) + middle * column[plane + 1]
    return out
