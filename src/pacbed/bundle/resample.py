"""A rocking table sampled on other incident directions, for a range of thickness that needs no more of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from pacbed.bundle.between_nodes import AngleLimits, evaluate, project
from pacbed.crystal.lattice import cone_nodes, representatives
from pacbed.simulation.table.block_record import BlockCodes
from pacbed.simulation.table.coefficients import CoefficientBuilder
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.spline import PREFILTER_REACH, STENCIL_REACH, reach_mrad

SPARE_PLANES = 3  # beyond a level's ends: there its spline in thickness forgets where it was cut


class ThicknessRange(NamedTuple):
    """Smallest and largest thickness [nm]."""

    low_nm: float
    high_nm: float


def resample_table(
    table: RockingTable, *, steps: tuple[int, int], thickness_range: ThicknessRange, limits: AngleLimits
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
    thickness_range : ThicknessRange
        Thicknesses of the new table [nm].
    limits : AngleLimits
        Its cone and field, at most those of the old one [mrad].

    Returns
    -------
    RockingTable
        Without `nodes`, `absorbed` and `lost`, which rendering needs not.
    """
    kept = kept_coefficients(table, thickness_range)
    first_plane = table.first_plane + kept.start
    if tuple(steps) == tuple(table.steps):
        level = replace(table, codes=table.codes[kept.start : kept.stop], first_plane=first_plane)
        return _for_rendering(cropped(level, limits), thickness_range)
    # Samples at planes become a spline in thickness again: one coefficient more than planes at either end.
    first = max(0, first_plane - SPARE_PLANES)
    last = min(table.first_plane + len(table.codes) - 2, table.first_plane + kept.stop - 1 + SPARE_PLANES)
    facts = _sampling_facts(table, steps, limits)
    made = CoefficientBuilder(facts, *_sampled(table, facts, np.arange(first, last + 1))).table(1)
    begin = first_plane - (first - 1)
    level = replace(made, codes=made.codes[begin : begin + len(kept)], first_plane=first_plane)
    return _for_rendering(level, thickness_range)


def _sampling_facts(table: RockingTable, steps: tuple[int, int], limits: AngleLimits) -> dict[str, Any]:
    """What `CoefficientBuilder` asks of a table that is to be made."""
    return {
        **table.facts,
        "steps": list(steps),
        "reciprocal_mrad": table.reciprocal_mrad,
        "operations": table.beam_group,
        **limits._asdict(),
        "plane_spacing_a": 10 * table.plane_spacing_nm,
        "energy_ev": table.energy_ev,
    }


def _for_rendering(level: RockingTable, thickness_range: ThicknessRange) -> RockingTable:
    """A level that ends with its range of thickness, without what only the simulation's checks ask for."""
    return replace(
        level,
        thickness_max_nm=thickness_range.high_nm,
        nodes=np.zeros((0, 2), dtype=np.int32),
        absorbed=np.zeros((0, 0), dtype=np.float32),
        lost=np.zeros((0, 0), dtype=np.float32),
    )


def kept_coefficients(table: RockingTable, thickness_range: ThicknessRange) -> range:
    """Indices along thickness of the coefficients that a range of thickness combines."""
    low, high = (int(np.floor(edge / table.plane_spacing_nm)) - table.first_plane for edge in thickness_range)
    return range(max(0, low - 1), min(len(table.codes), high + 3))


def cropped(table: RockingTable, limits: AngleLimits) -> RockingTable:
    """A table without the pairs of direction and beam that a smaller cone and field do not need.

    Parameters
    ----------
    table : RockingTable
    limits : AngleLimits
        The smaller cone and field [mrad].
    """
    beam, m1, first, count = table.rows.T.astype(np.int64)
    row = np.repeat(np.arange(len(count)), count)
    m2 = first[row] + np.arange(len(row)) - (np.cumsum(count) - count)[row]
    q = np.stack([m1[row], m2], axis=1) @ table.pitch_mrad
    margin = reach_mrad(table.pitch_mrad, STENCIL_REACH) + 1e-6
    out = q + table.beams_mrad[beam[row]]
    kept = (np.linalg.norm(q, axis=1) <= limits.cone_mrad + margin) & (
        np.linalg.norm(out, axis=1) <= limits.field_mrad + margin
    )
    rows, starts, counts = np.unique(row[kept], return_index=True, return_counts=True)
    runs = np.stack([beam[rows], m1[rows], m2[kept][starts], counts], axis=1).astype(np.int32)
    return replace(table, codes=table.codes[:, kept], rows=runs, **limits._asdict())


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
    limits = AngleLimits(facts["cone_mrad"], facts["field_mrad"])
    point, covered = project((nodes @ pitch)[direction], angles[beam], limits)
    empty = np.zeros((len(planes), len(nodes)), dtype=np.float32)
    intensity = evaluate(table, (nodes @ pitch)[direction], point, covered, beam, planes)
    arrays = {
        "beam": beam.astype(np.uint16),
        "count": kept.sum(axis=1).astype(np.uint32),
        "nodes": nodes,
        "beams": table.beams,
        "absorbed": empty,
        "lost": empty,
    }
    return arrays, {"intensity": [BlockCodes(len(beam), [intensity])]}
