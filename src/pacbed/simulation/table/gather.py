"""Join the blocks of a rocking table: samples on directions and planes become the coefficients of a spline."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pacbed.errors import FormatError
from pacbed.simulation.table.block_file import SAMPLES, PlaneFile, read_block
from pacbed.simulation.table.coefficients import Samples

log = logging.getLogger(__name__)


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
    table = Samples(*_read_blocks(block_dirs)).table(threads)
    log.info("%d coefficients of %d planes", table.codes.size, len(table.codes))
    table.save(out_dir)


def _read_blocks(
    block_dirs: Sequence[str | Path],
) -> tuple[dict, dict[str, np.ndarray], dict[str, list[tuple[int, PlaneFile]]]]:
    """Facts, joined arrays, and the blocks' samples, which are not read yet."""
    read = [read_block(Path(folder)) for folder in block_dirs]
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
    axes = {"beam": 0, "count": 0, "nodes": 0, "absorbed": 1, "lost": 1}
    arrays = {name: np.concatenate([block[name] for _, block in read], axis=axis) for name, axis in axes.items()}
    kinds = [name for name in SAMPLES if name in read[0][1]]
    samples = {name: [(len(block["beam"]), block[name]) for _, block in read] for name in kinds}
    return first, {**arrays, "beams": read[0][1]["beams"]}, samples
