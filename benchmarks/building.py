"""What a bundle of one's own crystal costs: `pacbed build` from CIF files, at 200 kV and 20 mrad, without networks.

    python benchmarks/building.py [rutile:0,0,1 ...]

writes ``benchmarks/building.json`` and ``benchmarks/building.md``. A crystal measured before keeps its figures until
it is measured again. Every bundle then answers noisy patterns that it has rendered itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from aims import SAID, cell
from latency import PATTERNS, SEED, machine, of_a_command, recorded

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.bundle.reader import load_bundle
from pacbed.outputs import write_json, write_text

HERE = Path(__file__).resolve().parent
FIGURES, PAGE = HERE / "building.json", HERE / "building.md"
CRYSTALS = ("rutile:0,0,1", "silicon:1,1,0", "mgo:0,0,1")
RIGHT_NM = 1.0
ROWS = (
    ("wall_s", "CIF file to bundle [s]", "≤ 180"),
    ("cpu_s", "the same [CPU s]", ""),
    ("bundle_mb", "bundle [MB]", ""),
    ("right", f"answers within {RIGHT_NM:g} nm", ""),
    ("ok", "of them ok", ""),
    ("machine", "machine", ""),
)


def measure(crystal: str) -> dict[str, Any]:
    """Build one bundle in a process of its own, and ask it."""
    name, axis = crystal.split(":")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"{name}.pacbed"
        command = [sys.executable, "-m", "pacbed.cli", "build", str(HERE.parent / "structures" / f"{name}.cif")]
        command += ["--zone-axis", axis, "--energy-kev", "200", "--convergence-mrad", "20", "--out", str(out)]
        took = of_a_command(command, check=True)
        built_on = machine()
        return {
            "wall_s": round(took.wall_s),
            "cpu_s": round(took.cpu_s),
            "bundle_mb": round(out.stat().st_size / 1e6, 1),
            **asked(out),
            "machine": built_on,
        }


def asked(path: Path) -> dict[str, str]:
    """How many of some patterns off the grid the bundle answers rightly, and how many of these are ok."""
    bundle, rng = load_bundle(path), np.random.default_rng(SEED)
    right = []
    for _ in range(PATTERNS):
        image, alpha, thickness = recorded(bundle, rng)
        result = analyse(bundle, image, PredictOptions(convergence_mrad=round(alpha, 1))).result
        if result.thickness_nm is not None and abs(result.thickness_nm.value - thickness) <= RIGHT_NM:
            right.append(result.verdict == "ok")
    return {"right": f"{len(right)} of {PATTERNS}", "ok": f"{sum(right)} of {len(right)}"}


def table(figures: dict[str, dict[str, Any]]) -> str:
    """Markdown of all crystals measured."""
    lines = [
        "# A bundle of one's own crystal",
        "",
        "Measured by `make bench-building`: `pacbed build` at 200 kV and 20 mrad, to 100 nm and 5 mrad, without",
        "networks; referee, convergence, measured errors and thickness budget are in it. Answers are to patterns that",
        "the bundle itself renders, with noise of sigma 0.05 to 0.1.",
        SAID,
        "",
        f"| | {' | '.join(figures)} |",
        f"|---|{'---:|' * len(figures)}",
    ]
    for key, label, aim in ROWS:
        cells = [cell(row[key], aim) for row in figures.values()]
        lines.append(f"| {label}{f' ({aim})' if aim else ''} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "crystals", nargs="*", default=list(CRYSTALS), help="name of a file in structures/, colon, axis"
    )
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {}
    for crystal in parser.parse_args().crystals:
        name, axis = crystal.split(":")
        figures[f"{name} [{axis.replace(',', '')}]"] = measure(crystal)
        write_json(figures, FIGURES)
        write_text(table(figures), PAGE)


if __name__ == "__main__":
    main()
