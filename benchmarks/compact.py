"""The compact table of a bundle against the table in full precision: size, load time, error, thickness bias, speed.

    python benchmarks/compact.py rutile_80kv srtio3_300kv

reads ``results/<system>/simulation/rocking`` and ``config/<system>.yaml`` and writes ``benchmarks/compact.json`` and
``benchmarks/compact.md``. A system measured before keeps its figures until it is measured again.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import zarr
from aims import SAID, cell
from rendering import time_renderer

from pacbed.bundle.compact import CompactTable
from pacbed.bundle.pack import TrainedGrid
from pacbed.bundle.rebuild import simulate_table
from pacbed.bundle.recipe import Recipe
from pacbed.bundle.thinning import write_compact
from pacbed.config.plan import SimulationPlan, plan
from pacbed.config.system import load_config
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

HERE = Path(__file__).resolve().parent
PATTERNS, SEED, PIXELS = 40, 1, 100
THIN_NM = 3.0  # below, every crystal is a flat disk and no thickness is told
REPEATS = 5
ROWS = (
    ("size_mb", "compact table [MB]", {"rutile_80kv": "≤ 40", "srtio3_300kv": "≤ 100"}),
    ("full_mb", "table in full precision [MB]", {}),
    ("steps", "steps of the levels, the full table's last", {}),
    ("make_s", "making it [s of one core]", {}),
    ("build_s", "making all of it from slice potentials, as `pacbed build-table` [s, two cores]", {}),
    ("load_s", "loading it [s, two cores]", "≤ 1"),
    ("load_cpu_s", "loading it [s of one core]", {}),
    ("worst_l2", "largest relative L2", "≤ 1e-3"),
    ("median_l2", "median relative L2", {}),
    ("bias_nm", f"largest thickness bias from {THIN_NM:g} nm on [nm]", "≤ 0.02"),
    ("render_ms", "one pattern, thickness rendered before [ms]", {"rutile_80kv": "≤ 3", "srtio3_300kv": "≤ 8"}),
    ("render_fresh_ms", "one pattern, new thickness [ms]", {"rutile_80kv": "≤ 3", "srtio3_300kv": "≤ 8"}),
    ("series_render_ms", "pattern of a series [ms]", {"rutile_80kv": "≤ 0.75", "srtio3_300kv": "≤ 2.25"}),
)


def measure(name: str) -> dict:
    """Figures of one system."""
    system = load_config([HERE.parent / "config" / f"{name}.yaml"]).systems[name]
    needed, grid = plan(system), system.grid
    original = Path("results") / name / "simulation" / "rocking"
    full = RockingTable.load(original)
    axes = (axis.values() for axis in (grid.thickness_nm, grid.convergence_mrad, grid.mistilt_mrad))
    recipe = Recipe.of(full, TrainedGrid(*axes, needed.max_angle_mrad).ranges(), needed.max_angle_mrad)
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        write_compact(full, recipe, Path(folder) / "rocking.zarr")
        made = time.process_time() - started
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        loads, waits = [], []
        for _ in range(REPEATS):
            started, clock = time.process_time(), time.perf_counter()
            compact = CompactTable.read(zarr.open_group(str(Path(folder) / "rocking.zarr"), mode="r"))
            renderer = Renderer.of_levels(compact.levels)
            loads.append(time.process_time() - started)
            waits.append(time.perf_counter() - clock)
    return {
        "size_mb": round(size / 1e6, 1),
        "full_mb": round(sum(file.stat().st_size for file in original.rglob("*") if file.is_file()) / 1e6, 1),
        "steps": [*(level.steps[0] for level in compact.levels), full.steps[0]],
        "make_s": round(made, 1),
        "load_s": round(float(np.median(waits[1:])), 2),
        "load_cpu_s": round(float(np.median(loads[1:])), 2),
        **errors(Renderer(full), renderer, needed),
        **time_renderer(renderer, system),
        "build_s": round(build_seconds(original.parent.parent / "structure", recipe)),
    }


def build_seconds(structure: Path, recipe: Recipe) -> float:
    """Wall time of what `pacbed build-table` does, on two cores."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        simulate_table(structure, recipe, Path(folder), jobs=2, tell=logging.info)
        write_compact(RockingTable.load(Path(folder) / "rocking"), recipe, Path(folder) / "rocking.zarr")
        return time.perf_counter() - started


def errors(full: Renderer, compact: Renderer, needed: SimulationPlan) -> dict[str, float]:
    """Relative L2 and thickness bias over random patterns, the ends of every range among them."""
    rng = np.random.default_rng(SEED)
    geometry = Geometry.field_of_view(PIXELS, needed.max_angle_mrad)
    distances, biases = [], []
    for number in range(PATTERNS):
        alpha = needed.alpha_max_mrad * (1.0 if number % 5 == 0 else rng.uniform(0.2, 1))
        tilt = needed.tau_max_mrad * (1.0 if number % 4 == 0 else rng.uniform(0, 1))
        azimuth = rng.uniform(0, 2 * np.pi)
        thickness = needed.thickness_max_nm * (1.0 if number % 6 == 0 else rng.uniform(0, 1))
        settings = {
            "convergence_mrad": alpha,
            "mistilt_mrad": np.array([tilt * np.cos(azimuth), tilt * np.sin(azimuth)]),
            "geometry": geometry,
            "edge_mrad": full.table.widest_pitch_mrad,
        }
        expected = full.render(thickness_nm=thickness, **settings)
        found = compact.render(thickness_nm=thickness, **settings)
        distances.append(float(np.linalg.norm(found - expected) / np.linalg.norm(expected)))
        if thickness >= THIN_NM:
            biases.append(thickness_bias(compact, expected, thickness, settings, needed.thickness_max_nm))
    return {
        "worst_l2": float(f"{max(distances):.2e}"),
        "median_l2": float(f"{np.median(distances):.2e}"),
        "bias_nm": float(f"{np.abs(biases).max():.2g}"),
        "biases": len(biases),
    }


def thickness_bias(renderer: Renderer, expected, thickness: float, settings: dict, deepest: float) -> float:
    """Shift of the thickness that fits a pattern of the full table, brightness and mistilt free [nm].

    One step of Gauss and Newton: the tables differ by so little that the pattern is linear in what is fitted.
    """
    span = min(0.3, deepest - 0.3)
    middle = float(np.clip(thickness, span, deepest - span))
    at = renderer.render(thickness_nm=thickness, **settings)

    def along(thickness_nm: float = thickness, shift=(0.0, 0.0)) -> np.ndarray:
        moved = {**settings, "mistilt_mrad": settings["mistilt_mrad"] + np.array(shift)}
        return renderer.render(thickness_nm=thickness_nm, **moved)

    columns = [
        (along(middle + span) - along(middle - span)) / (2 * span),
        at,
        *((along(shift=step) - along(shift=-step)) / 0.1 for step in np.array([[0.05, 0.0], [0.0, 0.05]])),
    ]
    design = np.stack([column.ravel() for column in columns], axis=1)
    return float(np.linalg.lstsq(design, (expected - at).ravel(), rcond=None)[0][0])


def markdown(figures: dict) -> str:
    """The figures as a page."""
    systems = figures["systems"]
    lines = [
        "# The compact table of a bundle",
        "",
        f"Measured by `python benchmarks/compact.py` on {figures['machine']}, against the table in full precision:",
        f"{PATTERNS} patterns of {PIXELS} x {PIXELS} pixels at random thicknesses, convergence angles and mistilts,",
        f"the ends of every range among them. {SAID}",
        "",
        f"| | {' | '.join(systems)} |",
        "|---" + "|---:" * len(systems) + "|",
    ]
    for key, title, aims in ROWS:
        cells = []
        for name, row in systems.items():
            value = row[key]
            text = ", ".join(map(str, value)) if isinstance(value, list) else f"{value:g}"
            aim = aims if isinstance(aims, str) else aims.get(name, "")
            cells.append(f"{cell(value, aim, text=text)} ({aim})" if aim else text)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the systems named and write the page."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("systems", nargs="+", help="systems with a table below results/")
    file = HERE / "compact.json"
    old = json.loads(file.read_text())["systems"] if file.is_file() else {}
    measured = {name: measure(name) for name in parser.parse_args().systems}
    figures = {"machine": f"{platform.machine()}, one core", "systems": {**old, **measured}}
    file.write_text(json.dumps(figures, indent=2) + "\n")
    (HERE / "compact.md").write_text(markdown(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
