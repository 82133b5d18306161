"""Referee of the rocking table: the same slices through abTEM's probes, which do not use the plane-wave identity."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import FormatError, SimulationError
from pacbed.simulation.evidence import draw_comparisons, write_json
from pacbed.simulation.geometry import Geometry
from pacbed.simulation.propagator_gap import propagator_gap
from pacbed.simulation.renderer import Renderer
from pacbed.simulation.rocking_table import RockingTable
from pacbed.simulation.same_system import check_same_system, of_structure, of_table
from pacbed.simulation.scan import ScanPattern, positions_needed, raster, scan_pacbed
from pacbed.simulation.supercell import OrthogonalSlices, orthogonal_slices

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ParameterSet:
    """What one comparison simulates: a slab of whole periods, an aperture and a mistilt in the crystal frame."""

    periods: int
    convergence_mrad: float
    mistilt_mrad: tuple[float, float]


@dataclass(frozen=True)
class SampledGeometry(Geometry):
    """A geometry whose pixels are the reciprocal-lattice points of a supercell, in general not square."""

    kx_mrad: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ky_mrad: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, pattern: ScanPattern) -> SampledGeometry:
        """Geometry of a scan's samples; a pixel is the mean sample, so that intensities are those of one sample."""
        area = (pattern.kx_mrad[1] - pattern.kx_mrad[0]) * (pattern.ky_mrad[1] - pattern.ky_mrad[0])
        return cls(
            shape=pattern.intensity.shape,
            pixel_mrad=float(np.sqrt(area)),
            center_px=(0.0, 0.0),
            kx_mrad=pattern.kx_mrad,
            ky_mrad=pattern.ky_mrad,
        )

    def lines_mrad(self) -> np.ndarray:
        """Angle of the first sample and the steps to the next row and column [mrad], shape (3, 2)."""
        down, right = self.ky_mrad[1] - self.ky_mrad[0], self.kx_mrad[1] - self.kx_mrad[0]
        return np.array([[self.kx_mrad[0], self.ky_mrad[0]], [0.0, down], [right, 0.0]])


def referee_simulation(
    structure_dir: str | Path,
    table_dir: str | Path,
    settings: Mapping[str, Any],
    out_json: str | Path,
    out_png: str | Path,
) -> None:
    """Compare a rocking table with abTEM probe scans through the same slices and write down what is found.

    A bad result is a result: nothing is raised here, `accept_simulation` does.

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
    """
    check_same_system(structure=of_structure(structure_dir), table=of_table(table_dir))
    slices = SlicePotentials.load(structure_dir)
    renderer = Renderer(RockingTable.load(table_dir))
    cell = orthogonal_slices(slices)
    rng = np.random.default_rng(settings["seed"])
    results, pictures = [], []
    for chosen in draw_sets(slices.period_a, settings, rng=rng):
        result, picture = compare(renderer, slices, cell, chosen, cells=int(settings["cells"]))
        log.info("%s", result)
        results.append(result)
        pictures.append(picture)
    worst = max(result["relative_l2"] for result in results)
    figures = {
        "schema_version": SCHEMA_VERSION,
        "accepted": bool(worst <= settings["tolerance"]),
        "tolerance": float(settings["tolerance"]),
        "worst_relative_l2": worst,
        "cells": int(settings["cells"]),
        "seed": int(settings["seed"]),
        "propagator": renderer.table.facts.get("propagator"),
        "patterns": results,
        "picture": str(out_png),
    }
    draw_comparisons(results, pictures, out_png)
    write_json(figures, out_json)


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
        periods = max(1, int(10 * thickness / period_a + 1e-6))
        sets.append(ParameterSet(periods, float(settings["alpha_max_mrad"] * rng.uniform(0.8, 1.0)), mistilt))
    return sets


def compare(
    renderer: Renderer, slices: SlicePotentials, cell: OrthogonalSlices, chosen: ParameterSet, *, cells: int
) -> tuple[dict[str, Any], tuple[np.ndarray, np.ndarray]]:
    """One parameter set both ways: figures, and the two patterns as densities [1/mrad^2], shape (ky, kx) each.

    abTEM propagates with the Fresnel approximation. A table of the exact propagator is compared after adding what
    the approximation changes, computed directly with plane waves; the size of that is among the figures.
    """
    start = time.perf_counter()
    # About square samples: a rectangle of an oblique lattice is longer one way than the other.
    wide = [max(2, round(cells * cell.lengths_a[0] / length)) for length in cell.lengths_a]
    positions = positions_needed(chosen.convergence_mrad, cell.lengths_a, cell.energy_ev)
    scan = scan_pacbed(
        cell.periods(wide),
        thickness_periods=[chosen.periods],
        energy_ev=cell.energy_ev,
        convergence_mrad=chosen.convergence_mrad,
        positions=raster(cell.lengths_a, positions),
        max_angle_mrad=renderer.field_mrad + float(np.hypot(*chosen.mistilt_mrad)),
        mistilt_mrad=chosen.mistilt_mrad,
        band_limit=cell.band_limit,
    )[0]
    seconds = time.perf_counter() - start
    geometry = SampledGeometry.of(scan)
    rendered = renderer.render(
        thickness_nm=chosen.periods * slices.period_a / 10,
        convergence_mrad=chosen.convergence_mrad,
        mistilt_mrad=chosen.mistilt_mrad,
        geometry=geometry,
        edge_mrad=0.0,
    )
    kx, ky = geometry.angles_mrad()
    inside = np.hypot(kx + chosen.mistilt_mrad[0], ky + chosen.mistilt_mrad[1]) <= renderer.field_mrad
    direct, table = np.where(inside, scan.density, 0.0), rendered.astype(float) / geometry.pixel_mrad**2
    gap = np.zeros(table.shape)
    if renderer.table.facts["propagator"] == "exact":
        gap = np.where(
            inside, propagator_gap(slices, scan, periods=chosen.periods, mistilt_mrad=chosen.mistilt_mrad), 0.0
        )
        table = table + gap
    figures = {
        "thickness_nm": round(chosen.periods * slices.period_a / 10, 4),
        "convergence_mrad": round(chosen.convergence_mrad, 4),
        "mistilt_mrad": [round(value, 4) for value in chosen.mistilt_mrad],
        "supercell": wide,
        "positions": list(positions),
        "relative_l2": relative_l2(table, direct),
        "propagator_gap_l2": float(np.linalg.norm(gap) / np.linalg.norm(direct)),
        "largest_difference": float(np.abs(table - direct).max() / direct.max()),
        "fraction_in_field": {name: float(a.sum() * geometry.pixel_mrad**2) for name, a in _named(direct, table)},
        "scan_seconds": round(seconds, 1),
    }
    return figures, (direct, table)


def relative_l2(pattern: np.ndarray, reference: np.ndarray) -> float:
    """Euclidean norm of the difference over that of the reference."""
    return float(np.linalg.norm(pattern - reference) / np.linalg.norm(reference))


def _named(direct: np.ndarray, table: np.ndarray) -> Sequence[tuple[str, np.ndarray]]:
    return (("scan", direct), ("table", table))


def accept_simulation(referee_json: str | Path, convergence_json: str | Path, out_json: str | Path) -> None:
    """Let a system's simulation pass, or say what is wrong with it.

    Parameters
    ----------
    referee_json, convergence_json : path
        What `referee_simulation` and `check_convergence` wrote.
    out_json : path
        Written only if both pass.

    Raises
    ------
    SimulationError
        A figure exceeds its tolerance; the message has the figures, the pictures' paths and what to change.
    FormatError
        A file is missing or damaged.
    """
    referee, convergence = _read(referee_json), _read(convergence_json)
    try:
        problems = _table_problems(referee) + _numerics_problems(convergence)
        worst = {"referee": referee["worst_relative_l2"]}
        worst |= {check["name"]: check["worst"] for check in convergence["checks"]}
    except (KeyError, TypeError) as error:
        raise FormatError(f"{referee_json}, {convergence_json}: damaged or incomplete ({error!r})") from error
    if problems:
        raise SimulationError("the simulation is not accurate enough:\n" + "\n".join(problems))
    write_json({"schema_version": SCHEMA_VERSION, "worst": worst}, out_json)


def _table_problems(referee: Mapping[str, Any]) -> list[str]:
    return [
        f"rocking table against probe scan at {result['thickness_nm']} nm, {result['convergence_mrad']} mrad, mistilt "
        f"{result['mistilt_mrad']} mrad: relative L2 {result['relative_l2']:.2e}, accepted: {referee['tolerance']:.2e} "
        f"(picture: {referee['picture']})"
        for result in referee["patterns"]
        if not result["relative_l2"] <= referee["tolerance"]
    ]


def _numerics_problems(convergence: Mapping[str, Any]) -> list[str]:
    return [
        f"{check['name']}: {check['what']} {check['worst']:.2e}, accepted: {check['tolerance']:.2e} (picture: "
        f"{convergence['picture']}; lines to paste: {'; '.join(check['proposal']) or 'none'})"
        for check in convergence["checks"]
        if not check["worst"] <= check["tolerance"]
    ]


def _read(path: str | Path) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: damaged or incomplete ({error})") from error
    if not isinstance(content, dict) or content.get("schema_version") != SCHEMA_VERSION:
        raise FormatError(f"{path}: got another schema, accepted: schema_version {SCHEMA_VERSION}")
    return content
