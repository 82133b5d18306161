"""Patterns of displaced atoms, one set per system, to judge thicknesses by: benchmarks/phonons/<system>.zarr.

    python benchmarks/phonon_patterns.py srtio3_200kv

takes slices and numerics from results/<system>/structure (`snakemake --until orient_structure`). All patterns of a
system share their directions: every one is propagated once, through atoms of its own, and regrouped into apertures,
mistilts and thicknesses. Convergence angles and mistilts are the smaller ones of the grid, which keeps it at minutes.
"""

from __future__ import annotations

import argparse
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig, load_config
from pacbed.crystal.potentials import SlicePotentials
from pacbed.evaluation.direct.patterns import DirectNumerics
from pacbed.evaluation.direct.phonons import DisplacedNumerics, displaced_patterns
from pacbed.evaluation.direct.stored import StoredPattern, store_patterns
from pacbed.learning.draws import DrawRanges, draw_parameters
from pacbed.patterns import Geometry
from pacbed.simulation.checks.referee_phonons import displaced_slices
from pacbed.simulation.multislice.phonon_pool import PhononSettings

HERE = Path(__file__).resolve().parent
OUT = HERE / "phonons"
PIXELS = 96
SPAN_MRAD, MISTILT_MRAD = 4.0, 4.0  # convergence angles above the smallest of the grid, and mistilts, at most
PLANE_NM, THINNEST_NM = 1.0, 2.0
ATOMS = PhononSettings(cells=3, configurations=1, pool=32, seed=20)
DIFFUSE_PITCH_MRAD = 1.1  # what is diffuse is blurred by 0.8 of it


def drawn(system: SystemConfig, plane_nm: float, count: int, rng: np.random.Generator) -> list[PatternParameters]:
    """Parameters of the patterns, thicknesses on the planes."""
    angles, grid, reach = system.grid.convergence_mrad.values(), system.grid, plan(system)
    ranges = DrawRanges.spanned_by(
        thickness_nm=(THINNEST_NM, reach.thickness_max_nm - plane_nm),
        convergence_mrad=(min(angles), min(max(angles), min(angles) + SPAN_MRAD)),
        mistilt_mrad=(0.0, min(MISTILT_MRAD, max(grid.mistilt_mrad.values()))),
    )
    draw, frame = draw_parameters(count, ranges, rng=rng), Geometry.field_of_view(PIXELS, reach.max_angle_mrad)
    found = []
    for index in range(count):
        shift, (x, y) = draw.shift[index] * PIXELS, draw.mistilt_mrad[index]
        found.append(
            PatternParameters(
                thickness_nm=round(float(draw.thickness_nm[index]) / plane_nm) * plane_nm,
                mistilt_mrad=(float(x), float(y)),
                center_px=(float(frame.center_px[0] + shift[0]), float(frame.center_px[1] + shift[1])),
                pixel_mrad=float(frame.pixel_mrad * draw.scale[index]),
                rotation_deg=float(draw.rotation_deg[index]),
                convergence_mrad=float(draw.convergence_mrad[index]),
                blur_mrad=float(draw.blur_mrad[index]),
            )
        )
    return found


def make(name: str, system: SystemConfig, structure: Path, count: int, seed: int) -> Path:
    """Compute and store the patterns of one system."""
    slices = displaced_slices(SlicePotentials.load(structure))
    rng = np.random.default_rng(seed)
    periods = max(1, round(10 * PLANE_NM / slices.period_a))
    parameters = drawn(system, periods * slices.period_a / 10, count, rng)
    reach = plan(system)
    elastic = DirectNumerics(reach.max_angle_mrad * 2**0.5 + MISTILT_MRAD, system.simulation.propagator)
    numerics = DisplacedNumerics(elastic, ATOMS, DIFFUSE_PITCH_MRAD, periods)
    started = cpu_s()
    patterns = displaced_patterns(slices, parameters, numerics, rng=rng)
    stored = []
    for at, pattern in zip(parameters, patterns, strict=True):
        blurred = replace(at, blur_mrad=max(at.blur_mrad, pattern.elastic.lattice.least_blur_mrad))
        stored.append(StoredPattern(blurred, pattern.image(at.geometry((PIXELS, PIXELS)), blurred.blur_mrad)))
    facts = {
        "system": name,
        "seed": seed,
        "atoms": {"cells": ATOMS.cells, "pool": ATOMS.pool, "seed": ATOMS.seed},
        "grid_px": list(slices.grid),
        "diffuse_directions": len(patterns[0].diffuse.lattice.nodes),
        "elastic_directions": len(patterns[0].elastic.lattice.nodes),
        "cpu_s": round(cpu_s() - started),
    }
    store_patterns(stored, facts, OUT / f"{name}.zarr")
    return OUT / f"{name}.zarr"


def cpu_s() -> float:
    """Processor time of this process [s]."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", default=["srtio3_200kv"])
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of the workflow")
    parser.add_argument("--structure", type=Path, help="folder with slices, in place of results/<system>/structure")
    parser.add_argument("--count", type=int, default=100, help="patterns per system")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    for name in options.systems:
        system = load_config([Path("config") / f"{name}.yaml"]).systems[name]
        structure = options.structure or options.results / name / "structure"
        print(make(name, system, structure, options.count, options.seed))


if __name__ == "__main__":
    main()
