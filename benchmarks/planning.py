"""What reading the crystals costs while Snakemake plans: one file, and runs of one to thirty systems.

    make bench-planning

writes ``benchmarks/planning.json`` and ``benchmarks/planning.md``. Times are CPU seconds of one core.
"""

from __future__ import annotations

import json
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import yaml

from pacbed.config.system import validate_config
from pacbed.crystal.cif import read_structure
from pacbed.workflow.crystals import check_crystals

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CRYSTALS, REPEATS, SEED = ("srtio3", "rutile", "beryl"), 5, 1
EDGE, DISTANCE_A = 11, 2.6  # of the large cell: atoms along each edge, and their distance
COUNTS = (1, 10, 30)


def main() -> None:
    """Measure and write both files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [ROOT / "structures" / f"{crystal}.cif" for crystal in CRYSTALS]
        files.append(_large_cell(folder / "p1.cif"))
        figures = {
            "machine": f"{platform.machine()}, one core",
            "reading_s": {file.stem: _reading(file) for file in files},
            "atoms": {file.stem: len(read_structure(file).crystal.symbols) for file in files},
            "planning": {str(count): _planning(folder / str(count), count) for count in COUNTS},
        }
    (HERE / "planning.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (HERE / "planning.md").write_text(markdown(figures), encoding="utf-8")


def markdown(figures: dict) -> str:
    """Page of the figures."""
    lines = [
        "# Reading crystals while planning",
        "",
        f"Measured by `make bench-planning` on {figures['machine']}, as CPU seconds. What is aimed at: in brackets.",
        "",
        "| CIF file | atoms in the cell | reading it [s] |",
        "|---|---:|---:|",
    ]
    lines += [
        f"| {name} | {figures['atoms'][name]:,} | {seconds:.3f}{' (≤ 0.2)' if name in CRYSTALS else ''} |"
        for name, seconds in figures["reading_s"].items()
    ]
    lines += ["", "Runs in which every system has a file of its own:", ""]
    lines += ["| systems | all crystals [s] | `snakemake -n` as a whole [s] |", "|---:|---:|---:|"]
    lines += [
        f"| {count} | {row['crystals_s']:.2f} | {row['dry_run_s']:.1f} |" for count, row in figures["planning"].items()
    ]
    return "\n".join(lines) + "\n"


def _large_cell(file: Path) -> Path:
    """A cell without symmetry, its atoms near the nodes of a cubic net."""
    nodes = np.stack(np.meshgrid(*[np.arange(EDGE)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    places = (nodes + np.random.default_rng(SEED).uniform(-0.05, 0.05, nodes.shape)) / EDGE
    edges = [f"_cell_length_{axis} {EDGE * DISTANCE_A:.3f}" for axis in "abc"]
    angles = [f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma")]
    columns = ("label", "fract_x", "fract_y", "fract_z", "U_iso_or_equiv")
    loop = ["loop_", *(f"_atom_site_{column}" for column in columns)]
    rows = [f"Cu{number} {x:.5f} {y:.5f} {z:.5f} 0.007" for number, (x, y, z) in enumerate(places, 1)]
    text = ["data_p1", "_space_group_IT_number 1", *edges, *angles, *loop, *rows, ""]
    file.write_text("\n".join(text), encoding="utf-8")
    return file


def _reading(file: Path) -> float:
    """CPU time of one reading [s], the median of several."""
    read_structure(file)
    times = []
    for _ in range(REPEATS):
        started = time.process_time()
        read_structure(file)
        times.append(time.process_time() - started)
    return round(median(times), 4)


def _planning(folder: Path, count: int) -> dict[str, float]:
    """CPU time of checking the crystals of so many systems, and of the dry run that does so [s]."""
    folder.mkdir()
    base = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text(encoding="utf-8"))["systems"]["demo"]
    systems = {}
    for number in range(count):
        cif = shutil.copy(ROOT / "structures" / f"{CRYSTALS[number % len(CRYSTALS)]}.cif", folder / f"{number}.cif")
        systems[f"system_{number}"] = {**base, "crystal": {"cif": str(cif), "zone_axis": [0, 0, 1]}, "patterns": {}}
    config = folder / "systems.yaml"
    config.write_text(yaml.safe_dump({"systems": systems}), encoding="utf-8")
    validated = validate_config({"systems": systems}).systems
    started = time.process_time()
    check_crystals(validated)
    crystals_s = time.process_time() - started
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "all"]
    command += ["--configfile", str(config), "--directory", str(folder)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    dry_run_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"crystals_s": round(crystals_s, 3), "dry_run_s": round(dry_run_s, 2)}


if __name__ == "__main__":
    main()
