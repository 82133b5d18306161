"""Referee of the rocking table: the same slices through abTEM's probes, which do not use the plane-wave identity."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.crystal.potentials import SlicePotentials, of_structure, termination_slices, whole_periods
from pacbed.errors import SimulationError
from pacbed.outputs import write_json
from pacbed.patterns import relative_l2
from pacbed.simulation.checks.evidence import draw_comparisons, draw_reason
from pacbed.simulation.checks.propagator_gap import propagator_gap
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.scan.direct_pattern import SampledGeometry, direct_pattern
from pacbed.simulation.scan.probes import ScanPattern
from pacbed.simulation.scan.supercell import OrthogonalSlices, orthogonal_slices
from pacbed.simulation.table.rocking_table import RockingTable, of_table
from pacbed.systems import check_same_system

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ParameterSet:
    """What one comparison simulates: a slab of whole periods, an aperture and a mistilt in the crystal frame."""

    periods: int
    convergence_mrad: float
    mistilt_mrad: tuple[float, float]


def referee_simulation(
    structure_dir: str | Path,
    table_dir: str | Path,
    settings: Mapping[str, Any],
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
    settings : mapping
        ``cells`` (edge of the supercell, in cells), ``patterns`` (number of sets), ``max_thickness_nm`` (of these),
        ``full_thickness`` (whether one more set has ``thickness_max_nm``), ``thickness_max_nm``, ``alpha_max_mrad``,
        ``tau_max_mrad`` (largest convergence semi-angle and mistilt), ``seed``, ``tolerance``.
    out_json, out_png : path
        Figures and picture.
    threads : int
        Parts of a simulation computed at once.
    """
    check_same_system(structure=of_structure(structure_dir), table=of_table(table_dir))
    slices = SlicePotentials.load(structure_dir)
    renderer = Renderer(RockingTable.load(table_dir).elastic)  # these probes meet no displaced atoms
    slabs = termination_slices(slices, renderer.table.facts.get("termination", "top"))
    try:
        cells = [orthogonal_slices(slab) for slab in slabs]
    except SimulationError as error:
        log.warning("the rocking table has no direct simulation to be compared with: %s", error)
        draw_reason(str(error), out_png)
        write_json({"schema_version": SCHEMA_VERSION, "applicable": False, "reason": str(error)}, out_json)
        return
    rng = np.random.default_rng(settings["seed"])
    results, pictures = [], []
    for chosen in draw_sets(slices.period_a, settings, rng=rng):
        result, picture = compare(renderer, slabs, cells, chosen, width=int(settings["cells"]), threads=threads)
        log.info("%s", result)
        results.append(result)
        pictures.append(picture)
    summary = _summary(results, settings, renderer.table.facts["propagator"])
    draw_comparisons(results, pictures, out_png)
    write_json({**summary, "patterns": results, "picture": str(out_png)}, out_json)


def _summary(results: Sequence[Mapping[str, Any]], settings: Mapping[str, Any], propagator: str) -> dict[str, Any]:
    """What the gate reads, and the numerics of the scans."""
    worst = max(result["relative_l2"] for result in results)
    return {
        "schema_version": SCHEMA_VERSION,
        "applicable": True,
        "accepted": bool(worst <= settings["tolerance"]),
        "tolerance": float(settings["tolerance"]),
        "worst_relative_l2": worst,
        "cells": int(settings["cells"]),
        "seed": int(settings["seed"]),
        "propagator": propagator,
    }


def draw_sets(period_a: float, settings: Mapping[str, Any], *, rng: np.random.Generator) -> list[ParameterSet]:
    """Parameter sets inside the grid: thin ones, which are cheap, and one at full thickness, where errors are worst."""
    deepest = float(settings["thickness_max_nm"])
    limit = min(float(settings["max_thickness_nm"]), deepest)
    thicknesses = list(rng.uniform(0.1 * limit, limit, int(settings["patterns"])))
    if settings["full_thickness"]:
        thicknesses.append(deepest)
    sets = []
    for thickness in thicknesses:
        radius, azimuth = float(settings["tau_max_mrad"]) * np.sqrt(rng.uniform()), rng.uniform(0, 2 * np.pi)
        mistilt = (float(radius * np.cos(azimuth)), float(radius * np.sin(azimuth)))
        convergence = float(settings["alpha_max_mrad"] * rng.uniform(0.8, 1.0))
        sets.append(ParameterSet(whole_periods(period_a, thickness), convergence, mistilt))
    return sets


def compare(
    renderer: Renderer,
    slabs: Sequence[SlicePotentials],
    cells: Sequence[OrthogonalSlices],
    chosen: ParameterSet,
    *,
    width: int,
    threads: int = 1,
) -> tuple[dict[str, Any], tuple[np.ndarray, np.ndarray]]:
    """One parameter set both ways: figures, and the two patterns as densities [1/mrad^2], shape (ky, kx) each.

    abTEM propagates with the Fresnel approximation. A table of the exact propagator is compared after adding what
    the approximation changes, computed directly with plane waves; the size of that is among the figures. A table that
    is the mean over equivalent terminations is compared with the mean of scans through slabs that have them.
    """
    start = time.perf_counter()
    # About square samples: a rectangle of an oblique lattice is longer one way than the other.
    wide = [max(2, round(width * cells[0].lengths_a[0] / length)) for length in cells[0].lengths_a]
    scan, positions = _mean_scan(slabs, cells, chosen, wide, renderer.field_mrad, threads)
    seconds = time.perf_counter() - start
    geometry = SampledGeometry.of(scan)
    thickness_nm = chosen.periods * slabs[0].period_a / 10
    rendered = renderer.render(
        thickness_nm=thickness_nm,
        convergence_mrad=chosen.convergence_mrad,
        mistilt_mrad=chosen.mistilt_mrad,
        geometry=geometry,
        edge_mrad=0.0,
    )
    kx, ky = geometry.angles_mrad()
    inside = np.hypot(kx + chosen.mistilt_mrad[0], ky + chosen.mistilt_mrad[1]) <= renderer.field_mrad
    direct = np.where(inside, scan.density, 0.0)
    gap = np.where(inside, _gap(renderer, slabs, chosen, scan, threads), 0.0)
    table = rendered.astype(float) / geometry.pixel_mrad**2 + gap
    figures = {
        "thickness_nm": round(thickness_nm, 4),
        "convergence_mrad": round(chosen.convergence_mrad, 4),
        "mistilt_mrad": [round(value, 4) for value in chosen.mistilt_mrad],
        "supercell": wide,
        "positions": positions,
        "pixel_mrad": round(geometry.pixel_mrad, 6),
        **_differences(direct, table, gap, geometry.pixel_mrad),
        "scan_seconds": round(seconds, 1),
    }
    return figures, (direct, table)


def _differences(direct: np.ndarray, table: np.ndarray, gap: np.ndarray, pixel_mrad: float) -> dict[str, Any]:
    """Figures of two patterns, and of what the propagator changed in the second; densities [1/mrad^2]."""
    return {
        "relative_l2": relative_l2(table, direct),
        "propagator_gap_l2": float(np.linalg.norm(gap) / np.linalg.norm(direct)),
        "largest_difference": float(np.abs(table - direct).max() / direct.max()),
        "fraction_in_field": {
            "scan": float(direct.sum() * pixel_mrad**2),
            "table": float(table.sum() * pixel_mrad**2),
        },
    }


def _mean_scan(
    slabs: Sequence[SlicePotentials],
    cells: Sequence[OrthogonalSlices],
    chosen: ParameterSet,
    wide: Sequence[int],
    field_mrad: float,
    threads: int,
) -> tuple[ScanPattern, int]:
    """Mean of the scans through every slab, and the positions of the probe in each."""
    scans = [
        direct_pattern(
            slab,
            cell,
            cells=wide,
            periods=chosen.periods,
            convergence_mrad=chosen.convergence_mrad,
            mistilt_mrad=chosen.mistilt_mrad,
            max_angle_mrad=field_mrad + float(np.hypot(*chosen.mistilt_mrad)),
            threads=threads,
        )
        for slab, cell in zip(slabs, cells, strict=True)
    ]
    first, positions = scans[0]
    return replace(first, intensity=np.mean([scan.intensity for scan, _ in scans], axis=0)), positions


def _gap(
    renderer: Renderer, slabs: Sequence[SlicePotentials], chosen: ParameterSet, scan: ScanPattern, threads: int
) -> np.ndarray:
    """What abTEM's propagator changes in the density of the table's pattern [1/mrad^2], shape (ky, kx)."""
    if renderer.table.facts["propagator"] != "exact":
        return np.zeros(scan.intensity.shape)
    options: dict[str, Any] = {"periods": chosen.periods, "mistilt_mrad": chosen.mistilt_mrad, "threads": threads}
    return np.asarray(np.mean([propagator_gap(slab, scan, **options) for slab in slabs], axis=0))
