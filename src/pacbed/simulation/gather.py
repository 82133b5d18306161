"""Join the blocks of a rocking table: samples on directions and planes become the coefficients of a spline."""

from __future__ import annotations

import json
import logging
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import correlate1d

from pacbed.errors import FormatError
from pacbed.outputs import leaves_nothing_half_written
from pacbed.simulation.block_check import check_block
from pacbed.simulation.directions import cone_nodes
from pacbed.simulation.intensity_code import decode, encode_coefficients
from pacbed.simulation.rocking_table import RockingTable
from pacbed.simulation.spline import PREFILTER, STENCIL_REACH, plane_matrix, reach_mrad
from pacbed.simulation.wedge import Wedge, row_starts

log = logging.getLogger(__name__)
FACTS = ("formula", "zone_axis", "thermal_model", "propagator", "termination", "grid_px", "slice_depth_a")


@leaves_nothing_half_written()
def gather_rocking_table(block_dirs: Sequence[str | Path], out_dir: str | Path, *, threads: int = 1) -> None:
    """Join the blocks of a table.

    Parameters
    ----------
    block_dirs : sequence of path
        Folders written by `simulate_rocking_block`, in any order.
    out_dir : path
        Receives the table; complete or absent.
    threads : int
        Beams worked on at once; the table does not depend on it.

    Raises
    ------
    FormatError
        A block is damaged, belongs to another table, or is missing.
    """
    facts, arrays = _read_blocks(block_dirs)
    samples = Samples(facts, arrays)
    table = samples.table(threads)
    log.info("%d coefficients of %d planes", table.codes.size, len(table.codes))
    table.save(out_dir)


class Samples:
    """Intensities of the distinct directions of a table, and the way from them to spline coefficients.

    Parameters
    ----------
    facts : dict
        What every block says of the table.
    arrays : dict of numpy.ndarray
        The blocks' arrays, joined: `intensity` and, of frozen phonons, `diffuse` (plane, pair), `beam` (pair,), `count`
        (direction,), `nodes`, `beams`, `absorbed` and `lost` (plane, direction).
    """

    def __init__(self, facts: dict, arrays: dict[str, np.ndarray]) -> None:
        self.facts, self.arrays = facts, arrays
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
        self.to_coefficients = plane_matrix(len(arrays["intensity"])).astype(np.float32)
        self._find_pairs()

    def _find_pairs(self) -> None:
        """Where the sample of a direction and a beam lies: `pair` (direction, beam), -1 where it was not kept."""
        count = self.arrays["count"].astype(np.int64)
        direction = np.repeat(np.arange(len(count)), count)
        self.pair = np.full((len(self.nodes), len(self.beams)), -1, dtype=np.int32)
        self.pair[direction, self.arrays["beam"]] = np.arange(len(direction))
        reach = self.sampled.reach
        self.direction = np.full((2 * reach + 1, 2 * reach + 1), -1, dtype=np.int32)
        self.direction[tuple((self.nodes + reach).T)] = np.arange(len(self.nodes))

    def rows(self) -> np.ndarray:
        """Runs of coefficients wanted of each beam and row of nodes; shape (row, 4): beam, m1, first m2, count."""
        at = tuple((self.every + self.stored.reach).T)
        inside = self.every[np.all(self.stored.representative[at] == self.every, axis=1)]
        inside = inside[np.linalg.norm(inside @ self.pitch, axis=1) <= self.cone]
        found = []
        for index, beam in enumerate(self.beams):
            kept = inside[np.linalg.norm(inside @ self.pitch + beam @ self.reciprocal, axis=1) <= self.field]
            if len(kept):
                row, first, count = np.unique(kept[:, 0], return_index=True, return_counts=True)
                # Wedge, cone and field are convex, so the nodes of a row, which come in order, have no gaps.
                assert np.array_equal(kept[first + count - 1, 1] - kept[first, 1] + 1, count)
                found.append(np.stack([np.full(len(row), index), row, kept[first, 1], count], axis=1))
        return np.concatenate(found).astype(np.int32)

    def table(self, threads: int) -> RockingTable:
        """The whole table."""
        rows, facts = self.rows(), self.facts
        return RockingTable(
            codes=self._codes("intensity", rows, threads),
            diffuse=self._codes("diffuse", rows, threads) if "diffuse" in self.arrays else None,
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
            thickness_max_nm=(len(self.arrays["intensity"]) - 1) * facts["plane_spacing_a"] / 10,
            energy_ev=facts["energy_ev"],
            facts={key: facts[key] for key in FACTS},
        )

    def _codes(self, name: str, rows: np.ndarray, threads: int) -> np.ndarray:
        """Coded coefficients of one kind of samples, shape (coefficient, pair)."""
        samples = np.ascontiguousarray(self.arrays[name].T)
        codes = np.zeros((int(rows[:, 3].sum()), len(self.to_coefficients)), dtype=np.int16)
        start = row_starts(rows, len(self.beams), self.stored.reach)
        distinct = np.unique(self.stored.beam_image[:, np.unique(rows[:, 0])].max(axis=0))  # one beam of each orbit
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda beam: self._beam(beam, samples, start, codes), distinct.tolist()))
        return np.ascontiguousarray(codes.T)

    def _beam(self, beam: int, samples: np.ndarray, start: np.ndarray, codes: np.ndarray) -> None:
        """Coefficients of one beam over all directions, which are those of its whole orbit over the distinct ones."""
        dense, low, have = self._filtered(beam, samples)
        angle = np.linalg.norm(self.every @ self.pitch, axis=1)
        out = np.linalg.norm(self.every @ self.pitch + self.beams[beam] @ self.reciprocal, axis=1)
        nodes = self.every[have & (angle <= self.cone) & (out <= self.field)]
        reach = self.stored.reach
        representative = self.stored.representative[tuple((nodes + reach).T)]
        for operation, image in zip(self.operations, self.stored.beam_image[:, beam], strict=True):
            # A node on a mirror line is its own image: it serves the beam and the beam's image.
            turned = nodes @ operation.T
            here = np.all(turned == representative, axis=1)
            values = dense[tuple((nodes[here] - low).T)] @ self.to_coefficients.T
            codes[start[image, turned[here, 0] + reach] + turned[here, 1]] = encode_coefficients(values)

    def _filtered(self, beam: int, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Filtered samples (m1, m2, plane) of a beam over a box of nodes, its corner, and which nodes have samples."""
        wedge, at = self.sampled, tuple((self.every + self.sampled.reach).T)
        image = wedge.beam_image[wedge.operation[at].astype(np.int64), beam]
        representative = wedge.representative[at].astype(np.int64)
        direction = self.direction[tuple((representative + wedge.reach).T)]
        pair = np.where(image >= 0, self.pair[direction, image], -1)
        have = pair >= 0
        low, high = self.every[have].min(axis=0), self.every[have].max(axis=0)
        dense = np.zeros((*(high - low + 1), samples.shape[1]), dtype=np.float32)
        dense[tuple((self.every[have] - low).T)] = decode(samples[pair[have]])
        for axis in (0, 1):
            dense = correlate1d(dense, PREFILTER, axis=axis, mode="constant")
        return dense, low, have


def axes_kept(operations: np.ndarray) -> np.ndarray:
    """Operations that map the two axes of the nodes onto themselves or each other.

    A spline along two axes at 60 degrees has not the symmetry of a hexagonal lattice: only these operations carry its
    coefficients into each other. All operations do so with the samples.
    """
    return operations[np.all(np.sum(np.abs(operations), axis=2) == 1, axis=1)]


def _read_blocks(block_dirs: Sequence[str | Path]) -> tuple[dict, dict[str, np.ndarray]]:
    read = [_read_block(Path(folder)) for folder in block_dirs]
    read.sort(key=lambda item: item[0]["direction_range"])
    first = read[0][0]
    covered = 0
    for facts, _ in read:
        shared = {key: value for key, value in facts.items() if key != "direction_range"}
        if shared != {key: value for key, value in first.items() if key != "direction_range"}:
            raise FormatError("blocks: got parts of different tables, accepted: all blocks of one table")
        if facts["direction_range"][0] != covered:
            raise FormatError(f"blocks: directions from {covered} on are missing")
        covered = facts["direction_range"][1]
    if covered != first["directions"]:
        raise FormatError(f"blocks: got {covered} directions, accepted: all {first['directions']}")
    axes = {"intensity": 1, "beam": 0, "count": 0, "nodes": 0, "absorbed": 1, "lost": 1}
    if "diffuse" in read[0][1]:
        axes["diffuse"] = 1
    arrays = {name: np.concatenate([block[name] for _, block in read], axis=axis) for name, axis in axes.items()}
    return first, {**arrays, "beams": read[0][1]["beams"]}


def _read_block(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        with (folder / "block.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            facts, content = json.loads((folder / "grid.json").read_text()), dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise FormatError(f"block {folder}: damaged or incomplete ({error})") from error
    check_block(facts, content, folder)
    return facts, content
