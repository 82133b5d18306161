"""What the jobs of finished systems asked a cluster for, and what they used.

    make bench-needs

reads the `benchmark:` files of the systems below in results/ (run Snakemake on their configurations first) and writes
benchmarks/needs.json and benchmarks/needs.md. `--results DIR` reads those of another folder.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pacbed.config.system import SystemConfig, load_config
from pacbed.workflow import needs

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SYSTEMS = {
    "demo": "config/demo.yaml",
    "au110_200kv": "config/catalogue/au110_200kv.yaml",
    "rutile_80kv": "config/rutile_80kv.yaml",
}
SNAKEMAKE_MB = 300  # two processes that stand beside a job on a cluster, measured
HEAD = """\
# What jobs ask for and use

Written by `make bench-needs` from the `benchmark:` files of runs on two cores that other programs used as well: minutes
are wall time, "busy" is processor time over wall time. Memory used is the largest resident size of the rule's own
process; two processes of Snakemake stand beside it on a cluster and take {snakemake} MB together. Whole systems:
{sizes}.

| system | rule | jobs | cores asked | busy | MB asked | MB used | with Snakemake | min asked | min used |
|---|---|---|---|---|---|---|---|---|---|
"""


class Asked(NamedTuple):
    """What a rule's text says: a number, or the name of an estimate."""

    threads: int
    memory: str
    minutes: str


def rules() -> Iterator[tuple[str, Asked]]:
    """Name of every rule with a `benchmark:` file, and what it asks for."""
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        parts = re.split(r"^rule (\w+):\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            threads = re.search(r"threads: (\d+)\n", text)
            memory, minutes = (re.search(rf'{key}=(?:needed\("(\w+)"\)|(\d+))', text) for key in ("mem_mb", "runtime"))
            if threads and memory and minutes and "benchmark:" in text:
                yield name, Asked(int(threads[1]), memory[1] or memory[2], minutes[1] or minutes[2])


def amount(asked: str, system: SystemConfig) -> int:
    """A number as it stands, or an estimate for a system."""
    return int(asked) if asked.isdigit() else int(getattr(needs, asked)(system))


def measured(folder: Path, rule: str) -> list[dict[str, float]]:
    """Every run of a rule's jobs."""
    files = [folder / f"{rule}.jsonl", *sorted((folder / rule).glob("*.jsonl"))]
    return [json.loads(line) for file in files if file.is_file() for line in file.read_text().splitlines()]


def rows(name: str, config: Path, results: Path) -> Iterator[dict[str, Any]]:
    """One row a rule: the most that any of its jobs used."""
    system = load_config([config]).systems[name]
    for rule, asked in rules():
        runs = measured(results / name / "benchmarks", rule)
        if runs:
            yield {
                "system": name,
                "rule": rule,
                "jobs": len(runs),
                "cores_asked": asked.threads,
                "busy": max(run["cpu_time"] / run["s"] for run in runs),
                "mb_asked": amount(asked.memory, system),
                "mb_used": max(run["max_rss"] for run in runs),
                "minutes_asked": amount(asked.minutes, system),
                "minutes_used": max(run["s"] for run in runs) / 60,
                "cpu_minutes": sum(run["cpu_time"] for run in runs) / 60,
            }


def line(row: dict[str, Any]) -> str:
    """A row of the table; what does not fit is bold."""
    total = row["mb_used"] + SNAKEMAKE_MB
    beside = f"{total:.0f}" if total <= row["mb_asked"] else f"**{total:.0f}**"
    return (
        f"| {row['system']} | {row['rule']} | {row['jobs']} | {row['cores_asked']} | {row['busy']:.1f} | "
        f"{row['mb_asked']} | {row['mb_used']:.0f} | {beside} | {row['minutes_asked']} | {row['minutes_used']:.1f} |\n"
    )


def main() -> None:
    """Read, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    results = parser.parse_args().results
    found = [row for name, config in SYSTEMS.items() for row in rows(name, ROOT / config, results)]
    missing = sorted(set(SYSTEMS) - {row["system"] for row in found})
    if missing:
        sys.exit(f"{results}: got no results of {', '.join(missing)}, accepted: finished systems; run Snakemake first")
    sizes = ", ".join(
        f"{name} {sum(row['jobs'] for row in found if row['system'] == name)} jobs, "
        f"{sum(row['cpu_minutes'] for row in found if row['system'] == name):.0f} min of one core"
        for name in SYSTEMS
    )
    (HERE / "needs.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    text = HEAD.format(snakemake=SNAKEMAKE_MB, sizes=sizes) + "".join(map(line, found))
    (HERE / "needs.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
