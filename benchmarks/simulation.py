"""Speed and accuracy of the simulation at full scale, from the workflow's own records and a timed renderer.

    make bench-simulation                       # rutile_80kv
    uv run python benchmarks/simulation.py srtio3_300kv beryl_300kv

Runs what is missing of a system's table, referee and stack (two cores; the demo's first, so that all loops are
compiled), times the renderer and abTEM's probe scan (`abtem_ratio.py`, some minutes a system; `--no-abtem` leaves it
out), then writes `benchmarks/simulation.json` and `benchmarks/simulation.md`, and copies the referees' reports to
`benchmarks/referee/`. Systems measured earlier are kept.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from abtem_ratio import CORES, our_seconds
from abtem_ratio import measure as measure_ratio
from fft_limit import fft_pairs_per_second
from rendering import stack_error, time_renderer
from report import markdown

from pacbed.config.system import SystemConfig, load_config
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

HERE = Path(__file__).parent


def records(folder: Path) -> dict[str, dict]:
    """Snakemake's benchmark records in a folder, by job."""
    return {file.stem: json.loads(file.read_text().splitlines()[-1]) for file in folder.glob("*.jsonl")}


def measure(name: str, system: SystemConfig, *, abtem: bool) -> dict:
    """Collect what the workflow recorded for one system, time its renderer and abTEM."""
    results = Path("results") / name
    blocks = records(results / "benchmarks" / "simulate_rocking_block")
    jobs = records(results / "benchmarks")
    ours = our_seconds(results, CORES)
    assert ours is not None  # the workflow has just run
    referee = json.loads((results / "simulation" / "referee.json").read_text())
    checks = json.loads((results / "simulation" / "convergence.json").read_text())["checks"]
    table = RockingTable.load(results / "simulation" / "rocking")
    stack = results / "stack"
    ratio = measure_ratio(name, system, results=results) if abtem else {}
    memory = [float(job["max_rss"]) for job in [*blocks.values(), *jobs.values()] if _is_number(job["max_rss"])]
    return {
        "rocking_table_s": ours["table_s"],
        **wave_slices(table, sum(job["s"] for job in blocks.values())),
        "stack_s": ours["stack_s"],
        "patterns": ours["series"] * ours["thicknesses"],
        "stack_gb": round(sum(file.stat().st_size for file in stack.rglob("*") if file.is_file()) / 1e9, 2),
        "stack_error": float(f"{stack_error(table, stack):.2g}"),
        "peak_memory_gb": round(max(memory) / 1e3, 2),
        **time_renderer(Renderer(table), system),
        "ratio_published_sampling": ratio.get("ratio_published_sampling"),
        "ratio_like_for_like": ratio.get("ratio_like_for_like"),
        "ratio_parts": ratio or None,
        "referee_a_l2": float(f"{referee['worst_relative_l2']:.2g}"),
        "referee_b_bias_nm": referee_b_bias_nm(HERE / "referee" / f"{name}_b.json"),
        "convergence": {check["name"]: float(f"{check['worst']:.2g}") for check in checks},
        "convergence_worst": float(f"{max(check['worst'] for check in checks if 'loss' not in check['name']):.2g}"),
    }


def _is_number(value: object) -> bool:
    try:
        return bool(np.isfinite(float(value)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def wave_slices(table: RockingTable, seconds: float) -> dict:
    """Waves times slices per second of both cores, and the share of what bare Fourier transforms reach on one."""
    slices = table.thickness_max_nm * 10 / table.facts["slice_depth_a"]
    rate = len(table.nodes) * slices / seconds  # per core; the blocks' start and end included
    grid = (int(table.facts["grid_px"][0]), int(table.facts["grid_px"][1]))
    return {
        "directions": len(table.nodes),
        "slices": round(slices),
        "grid_px": list(grid),
        "wave_slices_per_second": round(CORES * rate),
        "fft_limit_fraction": round(rate / fft_pairs_per_second(grid), 2),
    }


def referee_b_bias_nm(file: Path) -> float | None:
    """Largest thickness bias against frozen phonons in the report that was kept, signed; None where there is none."""
    if not file.is_file():
        return None
    return max((pattern["bias_nm"] for pattern in json.loads(file.read_text())["patterns"]), key=abs)


def keep_referee(name: str) -> None:
    """Keep reports and pictures of the referees beside the figures; the second one's where it was asked."""
    (HERE / "referee").mkdir(exist_ok=True)
    for report, ending in (("referee", ""), ("referee_b", "_b")):
        for suffix in ("json", "png"):
            file = Path("results") / name / "simulation" / f"{report}.{suffix}"
            if file.is_file():
                shutil.copyfile(file, HERE / "referee" / f"{name}{ending}.{suffix}")


def run_workflow(names: list[str], configs: list[Path]) -> None:
    """Make table, referee, convergence check and stack where they are missing or stale."""
    targets = [f"results/{name}/stack" for name in names]
    command = ["snakemake", *targets, "--cores", str(CORES), "--configfile", *map(str, configs)]
    subprocess.run([sys.executable, "-m", *command], check=True)


def compile_loops() -> None:
    """Make the demo's table and stack, unless they are there: a new installation compiles all loops for them."""
    run_workflow(["demo"], [Path("config/demo.yaml")])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", default=["rutile_80kv"])
    parser.add_argument("--no-abtem", action="store_true", help="leave out the comparison with abTEM's probe scan")
    options = parser.parse_args()
    names = options.systems
    configs = [Path("config") / f"{name}.yaml" for name in names]
    compile_loops()
    run_workflow(names, configs)
    systems = load_config(configs).systems
    file = HERE / "simulation.json"
    figures = json.loads(file.read_text()) if file.exists() else {"systems": {}}
    figures["machine"] = (
        f"{platform.processor() or platform.machine()}, {CORES} cores, Python {platform.python_version()}"
    )
    for name in names:
        keep_referee(name)
        figures["systems"][name] = measure(name, systems[name], abtem=not options.no_abtem)
        file.write_text(json.dumps(figures, indent=2) + "\n")
    (HERE / "simulation.md").write_text(markdown(figures))
    print(markdown(figures))


if __name__ == "__main__":
    main()
