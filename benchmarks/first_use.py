"""What somebody waits when a bundle that ships is used for the first time: its rocking table is made then.

    python benchmarks/first_use.py [NAME ...]

makes the table of each in an empty cache, in a process of its own with all cores, and writes
``benchmarks/first_use.json`` and ``benchmarks/first_use.md``. A bundle measured before keeps its figures until it is
measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from aims import SAID, cell
from latency import machine, of_a_command

from pacbed.bundle.pretrained.names import shipped_bundles
from pacbed.outputs import write_json, write_text

HERE = Path(__file__).resolve().parent
FIGURES, PAGE = HERE / "first_use.json", HERE / "first_use.md"
MAKE = "import sys; from pacbed.bundle.reader import load_bundle; load_bundle(sys.argv[1]).renderer"
LONGEST = "≤ 60"  # [s]


def measure(path: Path) -> dict[str, Any]:
    """Open one bundle as a prediction does, its table missing."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", MAKE, str(path)]
        took = of_a_command(command, check=True, env=os.environ | {"PACBED_CACHE": folder})
        (entry,) = Path(folder).glob("*.pacbed")
        table_mb = entry.stat().st_size / 1e6
    return {
        "shipped_mb": round(path.stat().st_size / 1e6, 1),
        "table_mb": round(table_mb, 1),
        "wall_s": round(took.wall_s, 1),
        "cpu_s": round(took.cpu_s),
        "machine": machine(),
    }


def markdown(figures: dict[str, dict[str, Any]]) -> str:
    """The figures as a page."""
    lines = [
        "# First use of a bundle that ships",
        "",
        "Measured by `python benchmarks/first_use.py`: from the start of Python to a renderer, the cache empty.",
        SAID,
        "",
        f"| bundle | it ships with [MB] | with its table [MB] | wait [s] ({LONGEST}) | CPU [s] | machine |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name, row in sorted(figures.items()):
        wait = cell(row["wall_s"], LONGEST)
        lines.append(
            f"| `{name}` | {row['shipped_mb']} | {row['table_mb']} | {wait} | {row['cpu_s']} | {row['machine']} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    known = shipped_bundles()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(known), help="bundles that ship; default: all of them")
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {}
    for name in parser.parse_args().names:
        figures[name] = measure(known[name])
        write_json(figures, FIGURES)
        write_text(markdown(figures), PAGE)


if __name__ == "__main__":
    main()
