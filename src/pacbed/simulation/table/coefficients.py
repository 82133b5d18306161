"""From the intensities at directions and thickness planes to the spline coefficients of a rocking table.

The intensity of beam G at direction q, sampled at the nodes of a grid of directions and at planes of thickness, becomes
the coefficients of a spline (see `spline`): by a filter along both axes of the grid, then by a matrix along thickness.
The filter needs the samples around a node, which symmetry gives: I(G, q) = I(W G, W q). The beams W G of one orbit thus
share their samples, those of the distinct directions, and no other beam needs them.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

import numpy as np

from pacbed.crystal.lattice import cone_nodes
from pacbed.errors import SimulationError
from pacbed.simulation.table.block_record import BlockCodes
from pacbed.simulation.table.codes import COEFFICIENT_LEVELS
from pacbed.simulation.table.coefficient_kernels import (
    TILE,
    OrbitNodes,
    orbit_coefficients,
    plane_filter,
    sort_pairs,
)
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.spline import PREFILTER_REACH, STENCIL_REACH, reach_mrad
from pacbed.simulation.table.wedge import Wedge, axes_kept, row_starts

KEPT_FACTS = ("formula", "zone_axis", "thermal_model", "propagator", "termination", "grid_px", "slice_depth_a")


class CoefficientBuilder:
    """Makes a rocking table of the intensities at its distinct directions.

    The samples are sorted by orbits of beams, each in memory of its own: the coefficients of a beam need no others, and
    the samples go orbit by orbit while the coefficients come.

    Parameters
    ----------
    facts : dict
        What every block says of the table: the fields of `RockingTable` that are no arrays, and `KEPT_FACTS`.
    arrays : dict of ndarray
        The blocks' arrays, joined: ``beam`` (pair,), the beam of each pair; ``count`` (direction,), pairs of each
        direction; ``nodes`` (direction, 2) and ``beams`` (beam, 2), indices; ``absorbed`` and ``lost``
        (plane, direction), fractions.
    codes : mapping of str to sequence of BlockCodes
        Coded intensities by kind, ``intensity`` and, of frozen phonons, ``diffuse``; one entry per block.
    """

    def __init__(
        self, facts: dict[str, Any], arrays: dict[str, np.ndarray], codes: Mapping[str, Sequence[BlockCodes]]
    ) -> None:
        self.facts, self.arrays, self.codes = facts, arrays, codes
        self.steps, self.reciprocal = np.array(facts["steps"]), np.array(facts["reciprocal_mrad"])
        self.pitch = self.reciprocal / self.steps[:, None]
        self.beams, self.nodes = arrays["beams"].astype(np.int64), arrays["nodes"].astype(np.int64)
        margin = reach_mrad(self.pitch, STENCIL_REACH) + 1e-6
        self.cone, self.field = facts["cone_mrad"] + margin, facts["field_mrad"] + margin
        sampled = float(np.linalg.norm(self.nodes @ self.pitch, axis=1).max())
        self.every = cone_nodes(self.pitch, sampled)
        self.group, self.operations = np.array(facts["operations"]), axes_kept(np.array(facts["operations"]))
        self.sampled = Wedge.of(self.pitch, sampled, self.group, self.beams)
        self.stored = Wedge.of(self.pitch, sampled, self.operations, self.beams)
        self.planes = len(arrays["absorbed"])
        self.thickness = plane_filter(self.planes)
        self._sort_pairs()
        self._turn_nodes()

    def _sort_pairs(self) -> None:
        """Give every sample a column among those of its orbit of beams.

        Sets `orbit` (beam,), the beam that stands for each one's orbit; `size` (beam,), samples of that orbit; `rank`
        (pair,), the column of each pair; `column` (beam, direction), the same by beam, -1 where it was not kept.
        """
        beam, count = self.arrays["beam"], self.arrays["count"].astype(np.int64)
        self.orbit = self.sampled.beam_image.max(axis=0).astype(np.uint16)
        self.size = np.bincount(self.orbit[beam], minlength=len(self.beams))
        order = np.argsort(self.orbit[beam], kind="stable")
        self.rank = np.empty(len(beam), dtype=np.int32)
        self.rank[order] = np.arange(len(beam)) - np.repeat(np.cumsum(self.size) - self.size, self.size)
        self.column = np.full((len(self.beams) + 1, len(count)), -1, dtype=np.int32)  # the last row is read at -1
        self.column[beam, np.repeat(np.arange(len(count)), count)] = self.rank

    def _turn_nodes(self) -> None:
        """Where every node of the cone has its sample and its coefficients.

        Sets `taken` (node,), the operation that turns a node into its representative; `direction` (node,), the number
        of that one among the sampled; `turned`, for each operation that keeps the axes, the nodes that it turns into
        stored ones, and these; `q` (2, node) [mrad]; `index`, the number of a node by its shifted m1 and m2.
        """
        wedge, at = self.sampled, tuple((self.every + self.sampled.reach).T)
        self.taken = wedge.operation[at].astype(np.int64)
        direction = np.full(wedge.operation.shape, -1, dtype=np.int32)
        direction[tuple((self.nodes + wedge.reach).T)] = np.arange(len(self.nodes))
        self.direction = direction[tuple((wedge.representative[at].astype(np.int64) + wedge.reach).T)]
        representative = self.stored.representative[at]
        # A node on a mirror line is its own image: it serves a beam and the beam's image.
        turned = [self.every @ operation.T for operation in self.operations]
        here = [np.nonzero(np.all(nodes == representative, axis=1))[0] for nodes in turned]
        shift = np.array([self.stored.reach, 0])
        self.turned = [(index, nodes[index] + shift) for index, nodes in zip(here, turned, strict=True)]
        self.q = np.ascontiguousarray((self.every @ self.pitch).T)
        self.index = np.full(np.array(wedge.operation.shape) + 2 * PREFILTER_REACH, -1, dtype=np.int32)
        self.index[tuple((self.every + wedge.reach + PREFILTER_REACH).T)] = np.arange(len(self.every))

    def rows(self) -> np.ndarray:
        """Runs of coefficients of each beam and row of nodes; int32, shape (row, 4): beam, m1, first m2, count."""
        at = tuple((self.every + self.stored.reach).T)
        inside = self.every[np.all(self.stored.representative[at] == self.every, axis=1)]
        q, found = np.ascontiguousarray((inside @ self.pitch).T), []
        for index in range(len(self.beams)):
            kept = inside[self._wanted(q, index)]
            if len(kept):
                row, first, count = np.unique(kept[:, 0], return_index=True, return_counts=True)
                # Wedge, cone and field are convex, so the nodes of a row, which come in order, have no gaps.
                assert np.array_equal(kept[first + count - 1, 1] - kept[first, 1] + 1, count)
                found.append(np.stack([np.full(len(row), index), row, kept[first, 1], count], axis=1))
        return np.concatenate(found).astype(np.int32)

    def table(self, threads: int) -> RockingTable:
        """The whole table; beams are worked on in so many threads, and the result does not depend on it.

        Raises
        ------
        SimulationError
            A coefficient is too large to be coded: the samples were no intensities.
        """
        rows, facts = self.rows(), self.facts
        return RockingTable(
            codes=self._coefficients("intensity", rows, threads),
            diffuse=self._coefficients("diffuse", rows, threads) if "diffuse" in self.codes else None,
            rows=rows,
            nodes=self.nodes.astype(np.int32),
            beams=self.beams.astype(np.int32),
            absorbed=self.arrays["absorbed"],
            lost=self.arrays["lost"],
            steps=(int(self.steps[0]), int(self.steps[1])),
            reciprocal_mrad=self.reciprocal,
            operations=self.operations,
            beam_group=self.group,
            cone_mrad=facts["cone_mrad"],
            field_mrad=facts["field_mrad"],
            plane_spacing_nm=facts["plane_spacing_a"] / 10,
            first_plane=-1,
            thickness_max_nm=(self.planes - 1) * facts["plane_spacing_a"] / 10,
            energy_ev=facts["energy_ev"],
            facts={key: facts[key] for key in KEPT_FACTS},
        )

    def _coefficients(self, kind: str, rows: np.ndarray, threads: int) -> np.ndarray:
        """Coded coefficients of one kind of intensities, int16, shape (coefficient, pair)."""
        start = row_starts(rows, len(self.beams), self.stored.reach)
        distinct = np.unique(self.stored.beam_image[:, np.unique(rows[:, 0])].max(axis=0))  # one beam of each orbit
        codes = _own_memory((self.planes + 2, int(rows[:, 3].sum())), np.int16)
        by_orbit: dict[int, np.ndarray] = {
            orbit: _own_memory((self.planes, int(self.size[orbit])), np.uint16)
            for orbit in np.unique(self.orbit[distinct]).tolist()
        }
        firsts = np.cumsum([0, *(block.pairs for block in self.codes[kind])]).tolist()

        def coefficients(orbit: int) -> float:
            samples = by_orbit.pop(orbit)  # the last reference
            beams = distinct[self.orbit[distinct] == orbit].tolist()
            return max(self._beam(beam, samples, start, codes) for beam in beams)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(self._sort, self.codes[kind], firsts, repeat(by_orbit)))
            largest = max(pool.map(coefficients, list(by_orbit)))
        if largest > np.iinfo(np.int16).max:
            size = (largest / COEFFICIENT_LEVELS) ** 2
            raise SimulationError(f"spline coefficients: got {size:g}, accepted: -4 to 4")
        return codes

    def _sort(self, block: BlockCodes, first: int, by_orbit: Mapping[int, np.ndarray]) -> None:
        """Read the samples of one block, whose pairs count from `first`, and hand them to their orbits."""
        pairs, chunks = block
        orbit = self.orbit[self.arrays["beam"][first : first + pairs]]
        order = np.argsort(orbit, kind="stable")
        rank = np.empty(pairs, dtype=np.int32)
        rank[order] = np.arange(pairs)
        labels, begins, counts = np.unique(orbit[order], return_index=True, return_counts=True)
        ranks = self.rank[first + order[begins]]
        moves = [
            (by_orbit[label], slice(begin, begin + count), slice(to, to + count))
            for label, begin, count, to in np.stack([labels, begins, counts, ranks], axis=1).tolist()
            if label in by_orbit
        ]
        plane = 0
        for chunk in chunks:
            in_order = np.empty_like(chunk)
            sort_pairs(chunk, rank, in_order)
            for samples, source, target in moves:
                samples[plane : plane + len(chunk), target] = in_order[:, source]
            plane += len(chunk)

    def _beam(self, beam: int, samples: np.ndarray, start: np.ndarray, codes: np.ndarray) -> float:
        """Coefficients of one beam over all directions, which are those of its whole orbit over the distinct ones."""
        nodes = self._orbit_nodes(beam, start)
        values = np.empty((len(nodes.picked) // TILE + 1, self.planes, TILE), dtype=np.float32)
        return float(orbit_coefficients(samples, nodes, self.thickness, values, codes))

    def _orbit_nodes(self, beam: int, start: np.ndarray) -> OrbitNodes:
        """Where the nodes of one beam have samples and coefficients; `start` is that of `row_starts`."""
        column = self.column[self.sampled.beam_image[self.taken, beam], self.direction]
        kept = (column >= 0) & self._wanted(self.q, beam)
        nodes, targets = [], []
        # Where a beam is its own image, several nodes have the same coefficient: that of the last operation is taken.
        for image, (index, turned) in zip(self.stored.beam_image[::-1, beam], self.turned[::-1], strict=True):
            chosen = kept[index]
            nodes.append(index[chosen])
            targets.append(start[image, turned[chosen, 0]] + turned[chosen, 1])
        target, first = np.unique(np.concatenate(targets), return_index=True)
        picked = self.every[np.concatenate(nodes)[first]] + self.sampled.reach
        low, high = picked.min(axis=0), picked.max(axis=0) + 1
        box = tuple(slice(a, b + 2 * PREFILTER_REACH) for a, b in zip(low, high, strict=True))
        flat = np.ravel_multi_index(tuple((picked - low).T), tuple(high - low))
        source = np.append(column, np.int32(-1))[self.index[box]]
        return OrbitNodes(source, flat.astype(np.int32), target.astype(np.int32))

    def _wanted(self, q: np.ndarray, beam: int) -> np.ndarray:
        """Whether a beam's coefficient is wanted at directions q, shape (2, node) [mrad]."""
        x, y = q + (self.beams[beam] @ self.reciprocal)[:, None]
        return (np.sqrt(q[0] ** 2 + q[1] ** 2) <= self.cone) & (np.sqrt(x**2 + y**2) <= self.field)


def _own_memory(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Zeros that take memory page by page where they are written, and give it back when they go.

    Arrays of the usual kind do neither: large ones lie in huge pages, and freed ones stay with the process.
    """
    count = math.prod(shape)
    return np.frombuffer(mmap.mmap(-1, count * np.dtype(dtype).itemsize), dtype=dtype).reshape(shape)
