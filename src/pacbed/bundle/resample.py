"""A rocking table sampled anew: fewer directions for a range of thickness that needs no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit

from pacbed.crystal.lattice import cone_nodes, representatives
from pacbed.simulation.table.block_record import BlockCodes
from pacbed.simulation.table.codes import SCALE, encode
from pacbed.simulation.table.coefficients import CoefficientBuilder
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.spline import PREFILTER_REACH, STENCIL_REACH, four_weights, reach_mrad, spline_weights
from pacbed.simulation.table.wedge import Wedge, row_starts

PROJECTIONS = 40  # rounds of the projection onto the directions that a table covers
SAMPLE = tuple(spline_weights(0.0)[:2].astype(np.float32))  # weights of the planes beside a plane, and of itself
SPARE_PLANES = 3  # beyond a level's ends: there its spline in thickness forgets where it was cut


def resample(
    table: RockingTable,
    *,
    steps: tuple[int, int],
    thickness_nm: tuple[float, float],
    cone_mrad: float,
    field_mrad: float,
) -> RockingTable:
    """A table for a range of thickness on other nodes; its planes stay.

    The spline of the old table has a value at every new node, so that nothing is lost but what the new grid cannot
    carry. Nodes beyond the directions that the old table covers, which only the border of the new one feels, continue
    it by point reflection: value and slope go on.

    Parameters
    ----------
    table : RockingTable
    steps : tuple of int
        Nodes per reciprocal-lattice vector; those of the old table only select its planes.
    thickness_nm : tuple of float
        Smallest and largest thickness of the new table [nm].
    cone_mrad, field_mrad : float
        Its cone and field, at most those of the old one [mrad].

    Returns
    -------
    RockingTable
        Without `nodes`, `absorbed` and `lost`, which rendering needs not.
    """
    kept = kept_coefficients(table, thickness_nm)
    bare: dict[str, Any] = {
        "thickness_max_nm": thickness_nm[1],
        "nodes": np.zeros((0, 2), dtype=np.int32),
        "absorbed": np.zeros((0, 0), dtype=np.float32),
        "lost": np.zeros((0, 0), dtype=np.float32),
    }
    if tuple(steps) == tuple(table.steps):
        level = replace(table, codes=table.codes[kept.start : kept.stop], first_plane=table.first_plane + kept.start)
        return replace(cropped(level, cone_mrad, field_mrad), **bare)
    # Samples at planes become a spline in thickness again: one coefficient more than planes at either end.
    first = max(0, table.first_plane + kept.start - SPARE_PLANES)
    last = min(table.first_plane + len(table.codes) - 2, table.first_plane + kept.stop - 1 + SPARE_PLANES)
    facts: dict[str, Any] = {
        **table.facts,
        "steps": list(steps),
        "reciprocal_mrad": table.reciprocal_mrad,
        "operations": table.beam_group,
        "cone_mrad": cone_mrad,
        "field_mrad": field_mrad,
        "plane_spacing_a": 10 * table.plane_spacing_nm,
        "energy_ev": table.energy_ev,
    }
    made = CoefficientBuilder(facts, *_sampled(table, facts, np.arange(first, last + 1))).table(1)
    begin = table.first_plane + kept.start - (first - 1)
    codes = made.codes[begin : begin + len(kept)]
    return replace(made, codes=codes, first_plane=table.first_plane + kept.start, **bare)


def kept_coefficients(table: RockingTable, thickness_nm: tuple[float, float]) -> range:
    """Coefficients in thickness that a range of thickness combines."""
    low, high = (int(np.floor(edge / table.plane_spacing_nm)) - table.first_plane for edge in thickness_nm)
    return range(max(0, low - 1), min(len(table.codes), high + 3))


def cropped(table: RockingTable, cone_mrad: float, field_mrad: float) -> RockingTable:
    """A table without the pairs that a smaller cone and field do not need."""
    beam, m1, first, count = table.rows.T.astype(np.int64)
    row = np.repeat(np.arange(len(count)), count)
    m2 = first[row] + np.arange(len(row)) - (np.cumsum(count) - count)[row]
    q = np.stack([m1[row], m2], axis=1) @ table.pitch_mrad
    margin = reach_mrad(table.pitch_mrad, STENCIL_REACH) + 1e-6
    out = q + table.beams_mrad[beam[row]]
    kept = (np.linalg.norm(q, axis=1) <= cone_mrad + margin) & (np.linalg.norm(out, axis=1) <= field_mrad + margin)
    rows, starts, counts = np.unique(row[kept], return_index=True, return_counts=True)
    runs = np.stack([beam[rows], m1[rows], m2[kept][starts], counts], axis=1).astype(np.int32)
    return replace(table, codes=table.codes[:, kept], rows=runs, cone_mrad=cone_mrad, field_mrad=field_mrad)


def _sampled(
    table: RockingTable, facts: dict, planes: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, list[BlockCodes]]]:
    """What a table is built of: intensities of the distinct new nodes and of all beams that their margins need."""
    pitch = table.reciprocal_mrad / np.array(facts["steps"])[:, None]
    margin = reach_mrad(pitch, STENCIL_REACH + PREFILTER_REACH) + 1e-6
    every = cone_nodes(pitch, facts["cone_mrad"] + margin)
    nodes = every[np.all(representatives(every, table.beam_group)[0] == every, axis=1)]
    angles = table.beams_mrad
    kept = np.linalg.norm((nodes @ pitch)[:, None] + angles[None], axis=-1) <= facts["field_mrad"] + margin
    direction, beam = np.nonzero(kept)
    limits = (facts["cone_mrad"], facts["field_mrad"])
    point, covered = project((nodes @ pitch)[direction], angles[beam], limits)
    empty = np.zeros((len(planes), len(nodes)), dtype=np.float32)
    intensity = _evaluate(table, (nodes @ pitch)[direction], point, covered, beam, planes)
    arrays = {
        "beam": beam.astype(np.uint16),
        "count": kept.sum(axis=1).astype(np.uint32),
        "nodes": nodes,
        "beams": table.beams,
        "absorbed": empty,
        "lost": empty,
    }
    return arrays, {"intensity": [BlockCodes(len(beam), [intensity])]}


def project(q: np.ndarray, angle: np.ndarray, limits: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Nearest directions that lie in the cone and scatter into the field.

    Parameters
    ----------
    q : ndarray, shape (pair, 2)
        Directions [mrad].
    angle : ndarray, shape (pair, 2)
        Angle of each pair's beam [mrad].
    limits : tuple of float
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
        for shift, limit in ((0.0, limits[0]), (turn, limits[1])):
            out = some + shift
            size = np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
            some = out * np.minimum(1.0, (limit - 1e-3) / size) - shift
    projected[beyond] = some
    return projected, _inside(projected, angle, limits)


def _inside(q: np.ndarray, angle: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return (np.linalg.norm(q, axis=1) <= limits[0]) & (np.linalg.norm(q + angle, axis=1) <= limits[1])


def _evaluate(table, q, point, covered, beam, planes) -> np.ndarray:
    """Codes (plane, pair) of the intensities at the new nodes: 2 f(p) - f(2 p - q), which is f(q) where p = q."""
    wedge = Wedge.of(
        table.pitch_mrad,
        table.cone_mrad + reach_mrad(table.pitch_mrad, STENCIL_REACH),
        table.operations,
        table.beams,
    )
    index = (
        row_starts(table.rows, len(table.beams), wedge.reach),
        wedge.operation,
        wedge.representative.astype(np.int64),
        wedge.beam_image,
    )
    low = int(planes[0]) - 1 - table.first_plane  # a plane's value takes the coefficients before, at and after it
    codes = np.ascontiguousarray(table.codes[low : low + len(planes) + 2].T)
    mirrored, mirrored_covered = project(2 * point - q, table.beams_mrad[beam], _limits(table))
    assert np.all(mirrored_covered | ~covered)
    inverse = np.linalg.inv(table.pitch_mrad)
    out = np.zeros((len(planes), len(q)), dtype=np.uint16)
    for part in np.array_split(np.arange(len(q)), max(1, len(q) // 100_000)):
        use = covered[part]
        values = _spline_values(codes, index, point[part] @ inverse, beam[part], use)
        beyond = use & (np.abs(point[part] - q[part]).max(axis=1) > 1e-9)
        again = _spline_values(codes, index, mirrored[part] @ inverse, beam[part], beyond)
        out[:, part] = encode(np.where(beyond[:, None], 2 * values - again, values).T)
    return out


def _limits(table: RockingTable) -> tuple[float, float]:
    return table.cone_mrad, table.field_mrad


@njit(nogil=True, cache=True, fastmath=True)
def _spline_values(codes, index, nodes, beams, wanted):
    """Values of a table's spline at positions among its nodes; shape (pair, plane), zero where not wanted."""
    start, operation, representative, image = index
    reach = operation.shape[0] // 2
    out = np.zeros((len(nodes), codes.shape[1] - 2), dtype=np.float32)
    column = np.empty(codes.shape[1], dtype=np.float32)
    w = np.empty((2, 4), dtype=np.float32)
    beside, middle = SAMPLE
    for at in range(len(nodes)):
        if not wanted[at]:
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
                taken = operation[n1, n2]
                source = image[taken, beams[at]]
                pair = start[source, representative[n1, n2, 0] + reach] + representative[n1, n2, 1]
                for plane in range(len(column)):
                    code = np.float32(codes[pair, plane])
                    column[plane] += weight * code * abs(code)
        for plane in range(out.shape[1]):
            out[at, plane] = beside * (column[plane] + column[plane + 2]) + middle * column[plane + 1]
    return out
