"""Files of the scan engine's blocks: what says to which crystal and grid their series belong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import FormatError
from pacbed.simulation.table.rocking_table import RockingTable

SCAN_BLOCK_VERSION = 1


def crystal_facts(source: SlicePotentials | RockingTable, *, termination: str = "top") -> dict[str, Any]:
    """What tells one system's crystal, beam and slices from another's, as plain JSON values.

    Parameters
    ----------
    source : SlicePotentials or RockingTable
    termination : str
        Surfaces that a table is averaged over, where slices are asked, which do not say it.
    """
    if isinstance(source, RockingTable):
        facts = source.facts
    else:  # slices do not say over which surfaces a table is averaged
        facts = {**vars(source), "grid_px": source.grid, "termination": termination}
    keys = ("formula", "zone_axis", "thermal_model", "termination", "grid_px", "slice_depth_a")
    plain = {key: list(facts[key]) if isinstance(facts[key], tuple) else facts[key] for key in keys}
    return {**plain, "energy_ev": source.energy_ev}


def series_file(series: Sequence[int]) -> str:
    """Name of the array of one series (convergence, tilt) inside its block."""
    return f"series_{series[0]}_{series[1]}.npy"


def read_facts(folder: Path) -> dict[str, Any]:
    """What ``block.json`` of a block says of its crystal, grid, engine and series.

    Raises
    ------
    FormatError
        The file is missing or damaged.
    """
    try:
        facts: dict[str, Any] = json.loads((folder / "block.json").read_text())
        if not {"schema_version", "crystal", "grid", "engine", "slices_sha256", "series"} <= set(facts):
            raise ValueError("block.json lacks keys")
    except (OSError, ValueError, TypeError) as error:
        raise FormatError(f"scan block {folder}: damaged or incomplete ({error})") from error
    return facts


def refuse_foreign(folder: Path, facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse a block that says something else than is wanted.

    Raises
    ------
    FormatError
        Naming what differs.
    """
    for key, value in wanted.items():
        if facts[key] != value:
            raise FormatError(
                f"scan block {folder}: got another {key}, {str(facts[key])[:200]}, accepted: {str(value)[:200]}"
            )
