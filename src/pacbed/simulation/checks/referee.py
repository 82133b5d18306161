"""Referee of the rocking table: the same slices through abTEM's probes, which do not use the plane-wave identity."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.crystal.potentials import SlicePotentials, of_structure, termination_slices
from pacbed.errors import SimulationError
from pacbed.outputs import write_json
from pacbed.simulation.checks.evidence import draw_comparisons, draw_reason
from pacbed.simulation.checks.parameter_sets import RefereeSettings, draw_sets
from pacbed.simulation.checks.probe_comparison import ProbeComparison, Slab, compare
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable, of_table
from pacbed.systems import check_same_system

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1


def referee_simulation(
    structure_dir: str | Path,
    table_dir: str | Path,
    settings: RefereeSettings,
    out_json: str | Path,
    out_png: str | Path,
    *,
    threads: int = 1,
) -> None:
    """Compare a rocking table with abTEM probe scans through the same slices and write down what is found.

    A bad result is a result: nothing is raised here, `accept_simulation` does. Where abTEM cannot scan the crystal, the
    findings say that they are not applicable, and why.

    Parameters
    ----------
    structure_dir, table_dir : path
        Folders with slice potentials and rocking table.
    settings : RefereeSettings
        Supercell, parameter sets, and the tolerance.
    out_json, out_png : path
        Figures and picture.
    threads : int
        Parts of a simulation computed at once.

    Raises
    ------
    FormatError
        Structure and table belong to different systems, or cannot be read.
    """
    check_same_system(structure=of_structure(structure_dir), table=of_table(table_dir))
    slices = SlicePotentials.load(structure_dir)
    renderer = Renderer(RockingTable.load(table_dir).elastic)  # these probes meet no displaced atoms
    terminations = termination_slices(slices, renderer.table.facts.get("termination", "top"))
    try:
        slabs = [Slab.of(slab) for slab in terminations]
    except SimulationError as error:
        log.warning("the rocking table has no direct simulation to be compared with: %s", error)
        draw_reason(str(error), out_png)
        write_json({"schema_version": SCHEMA_VERSION, "applicable": False, "reason": str(error)}, out_json)
        return
    comparisons = []
    for parameters in draw_sets(slices.period_a, settings, rng=np.random.default_rng(settings.seed)):
        comparisons.append(compare(renderer, slabs, parameters, cells=settings.cells, threads=threads))
        log.info("%s", comparisons[-1].as_json())
    draw_comparisons([comparison.as_picture() for comparison in comparisons], out_png)
    figures = _figures(comparisons, settings, renderer.table.facts["propagator"])
    write_json({**figures, "picture": str(out_png)}, out_json)


def _figures(comparisons: Sequence[ProbeComparison], settings: RefereeSettings, propagator: str) -> dict[str, Any]:
    """What the gate reads, the numerics of the scans, and every comparison."""
    worst = max(comparison.relative_l2 for comparison in comparisons)
    return {
        "schema_version": SCHEMA_VERSION,
        "applicable": True,
        "accepted": bool(worst <= settings.tolerance),
        "tolerance": float(settings.tolerance),
        "worst_relative_l2": worst,
        "cells": int(settings.cells),
        "seed": int(settings.seed),
        "propagator": propagator,
        "patterns": [comparison.as_json() for comparison in comparisons],
    }
