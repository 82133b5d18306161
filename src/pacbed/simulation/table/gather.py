"""Join the blocks of a rocking table: samples on directions and planes become the coefficients of a spline."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.errors import FormatError
from pacbed.simulation.table.block_file import INTENSITIES, Block, read_block
from pacbed.simulation.table.block_record import BlockCodes
from pacbed.simulation.table.coefficients import CoefficientBuilder

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
    table = _builder(_in_order([read_block(Path(folder)) for folder in block_dirs])).table(threads)
    log.info("%d coefficients of %d planes", table.codes.size, len(table.codes))
    table.save(out_dir)


def _in_order(blocks: list[Block]) -> list[Block]:
    """The blocks sorted by their directions, which have to be all those of one table."""
    blocks = sorted(blocks, key=lambda block: list(block.facts["direction_range"]))
    table, covered = _of_table(blocks[0]), 0
    for block in blocks:
        if _of_table(block) != table:
            raise FormatError("blocks: got parts of different tables, accepted: all blocks of one table")
        if block.facts["direction_range"][0] != covered:
            raise FormatError(f"blocks: directions from {covered} on are missing")
        covered = block.facts["direction_range"][1]
    if covered != table["directions"]:
        raise FormatError(f"blocks: got {covered} directions, accepted: all {table['directions']}")
    return blocks


def _of_table(block: Block) -> dict[str, Any]:
    """What a block says of its table."""
    return {name: value for name, value in block.facts.items() if name != "direction_range"}


def _builder(blocks: Sequence[Block]) -> CoefficientBuilder:
    """The blocks joined; their intensities are not read yet."""
    axes = {"beam": 0, "count": 0, "nodes": 0, "absorbed": 1, "lost": 1}
    arrays = {name: np.concatenate([block.arrays[name] for block in blocks], axis=axis) for name, axis in axes.items()}
    arrays["beams"] = blocks[0].arrays["beams"]
    codes = {
        kind: [BlockCodes(len(block.arrays["beam"]), block.intensities[kind]) for block in blocks]
        for kind in INTENSITIES
        if kind in blocks[0].intensities
    }
    return CoefficientBuilder(blocks[0].facts, arrays, codes)
