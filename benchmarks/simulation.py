"""Speed and accuracy of the simulation at full scale, from the workflow's own records and a timed renderer.

    make bench-simulation                       # rutile_80kv
    uv run python benchmarks/simulation.py srtio3_300kv beryl_300kv

Runs what is missing of a system's table, referee and stack (two cores), then writes `benchmarks/simulation.json` and
`benchmarks/simulation.md`. Systems measured earlier are kept.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from pacbed.config import SystemConfig, load_config
from pacbed.plan import plan
from pacbed.simulation.geometry import Geometry
from pacbed.simulation.renderer import Renderer
from pacbed.simulation.rocking_table import RockingTable

HERE = Path(__file__).parent
CORES = 2
REPEATS = 7
CONVERGENCE_MRAD = 20.0  # of the timed patterns, or the largest of the grid
COLUMNS = (
    ("rocking_table_s", "table [s]"),
    ("stack_s", "stack [s]"),
    ("patterns", "patterns"),
    ("stack_gb", "stack [GB]"),
    ("peak_memory_gb", "peak memory [GB]"),
    ("render_ms", "one pattern [ms]"),
    ("series_render_ms", "pattern of a series [ms]"),
    ("referee_a_l2", "referee A, worst L2"),
    ("convergence_worst", "convergence, worst L2"),
)


def records(folder: Path) -> dict[str, dict]:
    """Snakemake's benchmark records in a folder, by job."""
    return {file.stem: json.loads(file.read_text().splitlines()[-1]) for file in folder.glob("*.jsonl")}


def measure(name: str, system: SystemConfig) -> dict:
    """Collect what the workflow recorded for one system and time its renderer."""
    results = Path("results") / name
    blocks = records(results / "benchmarks" / "simulate_rocking_block")
    jobs = records(results / "benchmarks")
    referee = json.loads((results / "simulation" / "referee.json").read_text())
    checks = json.loads((results / "simulation" / "convergence.json").read_text())["checks"]
    stack = results / "stack"
    shape = json.loads((stack / "done.json").read_text())["shape"]
    return {
        # Blocks share the cores evenly; gathering them is one job.
        "rocking_table_s": round(
            sum(job["s"] for job in blocks.values()) / CORES + jobs["gather_rocking_table"]["s"], 1
        ),
        "stack_s": round(jobs["assemble_stack"]["s"], 1),
        "patterns": int(np.prod(shape[:3])),
        "stack_gb": round(sum(file.stat().st_size for file in stack.rglob("*") if file.is_file()) / 1e9, 2),
        "peak_memory_gb": round(max(job["max_rss"] for job in [*blocks.values(), *jobs.values()]) / 1e3, 2),
        **time_renderer(RockingTable.load(results / "simulation" / "rocking"), system),
        "referee_a_l2": float(f"{referee['worst_relative_l2']:.2g}"),
        "convergence": {check["name"]: float(f"{check['worst']:.2g}") for check in checks},
        "convergence_worst": float(f"{max(check['worst'] for check in checks if 'loss' not in check['name']):.2g}"),
    }


def time_renderer(table: RockingTable, system: SystemConfig) -> dict:
    """Median milliseconds of a 200 x 200 pattern on one core, alone and as one of a series of 100."""
    renderer, needed = Renderer(table), plan(system)
    options = {
        "convergence_mrad": min(CONVERGENCE_MRAD, needed.alpha_max_mrad),
        "geometry": Geometry.field_of_view(200, needed.max_angle_mrad),
        "mistilt_mrad": (2.0, 1.0),
    }
    series = np.linspace(1, needed.thickness_max_nm, 100)

    def median_ms(action, per: int) -> float:
        action()
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - start)
        return round(1e3 * statistics.median(seconds) / per, 3)

    return {
        "render_ms": median_ms(lambda: renderer.render(thickness_nm=50.3, **options), 1),
        "series_render_ms": median_ms(lambda: renderer.render_series(series, **options), len(series)),
    }


def table(figures: dict) -> str:
    """The figures as a Markdown table."""
    lines = ["| system | " + " | ".join(title for _, title in COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in figures["systems"].items():
        lines.append(f"| {name} | " + " | ".join(f"{row[key]}" for key, _ in COLUMNS) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", default=["rutile_80kv"])
    names = parser.parse_args().systems
    configs = [Path("config") / f"{name}.yaml" for name in names]
    targets = [f"results/{name}/stack" for name in names]
    command = ["snakemake", *targets, "--cores", str(CORES), "--configfile", *map(str, configs)]
    subprocess.run([sys.executable, "-m", *command], check=True)
    systems = load_config(configs).systems
    file = HERE / "simulation.json"
    figures = json.loads(file.read_text()) if file.exists() else {"systems": {}}
    figures["machine"] = (
        f"{platform.processor() or platform.machine()}, {CORES} cores, Python {platform.python_version()}"
    )
    figures["systems"].update({name: measure(name, systems[name]) for name in names})
    file.write_text(json.dumps(figures, indent=2) + "\n")
    head = f"# Simulation at full scale\n\nMeasured by `make bench-simulation` on {figures['machine']}."
    (HERE / "simulation.md").write_text(f"{head}\n\n{table(figures)}\n")
    print(table(figures))


if __name__ == "__main__":
    main()
