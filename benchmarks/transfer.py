"""What it saves to start a training from another crystal's networks: few epochs from them, and as many from nothing.

    python benchmarks/transfer.py rutile_80kv pretrained/srtio3_200kv.pacbed --epochs 4

trains the networks of the first system twice in results/transfer, from its own table and stack in results/, and
measures them as `networks.py` does; its full training is measured there. Writes transfer.json and transfer.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from networks import NOISES, configuration, cpu_seconds, measure

from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig, load_config
from pacbed.config.values import TASKS
from pacbed.learning.export_networks import export_networks
from pacbed.learning.settings import TrainingSettings
from pacbed.learning.train_network import train_network
from pacbed.outputs import write_json, write_text

HERE = Path(__file__).resolve().parent
FIGURES, PAGE, FULL = HERE / "transfer.json", HERE / "transfer.md", HERE / "networks.json"


def settings_of(system: SystemConfig, epochs: int, samples: int | None, source: Path | None) -> TrainingSettings:
    """The system's own settings with fewer epochs and patterns, and the networks to start from."""
    grid, training = system.grid, system.training.model_dump(mode="json")
    told = {
        **training,
        "epochs": dict.fromkeys(TASKS, epochs),
        "start_from": None if source is None else str(source),
        "samples": samples or training["samples"],
    }
    axes = {name: getattr(grid, name).values() for name in ("thickness_nm", "convergence_mrad", "mistilt_mrad")}
    return TrainingSettings(**axes, max_angle_mrad=plan(system).max_angle_mrad, **told)


def trained(name: str, epochs: int, samples: int | None, source: str | None) -> dict:
    """Train, export and measure; what a run that was stopped has finished is not done again."""
    begun = Path(source) if source else None
    run = f"{begun.stem if begun else 'nothing'}_{epochs}{f'_{samples}' if samples else ''}"
    results, out = Path("results"), Path("results/transfer") / name / run
    system = load_config([configuration(name)]).systems[name]
    spent = out / "cpu_s.json"
    if not spent.is_file():
        before, table = cpu_seconds(), results / name / "simulation" / "rocking"
        settings = settings_of(system, epochs, samples, begun)
        train_network(table, results / name / "stack", settings, out_dir=out, state_dir=out / ".state", threads=2)
        export_networks([out / f"{task}.keras" for task in TASKS], table_dir=table, out_dir=out)
        write_json({"cpu_s": round(cpu_seconds() - before)}, spent)
    return {**measure(name, 300, out), **json.loads(spent.read_text(encoding="utf-8"))}


def page(found: dict[str, dict[str, dict]]) -> str:
    """The figures as Markdown."""
    lines = ["# Networks that begin with another crystal's", "", "Made by `make bench-transfer`.", ""]
    for name, runs in found.items():
        lines += [
            f"**{name}**: mean error of thickness [nm] and share of truth within 2 nm of a candidate [%]",
            "",
            "| networks begun with | patterns | epochs | CPU time [s] | " + " | ".join(NOISES) + " |",
            "|---|---:|---:|---:|" + "---:|" * len(NOISES),
        ]
        for label, run in runs.items():
            cells = [
                f"{run['noise'][noise]['mean_nm']:g} / {run['noise'][noise]['near_percent']:g}" for noise in NOISES
            ]
            about = f"{label.split(',')[0]} | {run['samples']:,} | {run['epochs']} | {run.get('cpu_s', '')}"
            lines.append(f"| {about} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", nargs="?", default="rutile_80kv", help="whose networks are trained")
    parser.add_argument("source", nargs="?", default="pretrained/srtio3_200kv.pacbed", help="what they begin with")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--samples", type=int, help="patterns of an epoch; left out: as the system has it")
    options = parser.parse_args()
    found = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {}
    runs = found.setdefault(options.system, {})
    full = json.loads(FULL.read_text(encoding="utf-8")).get(options.system)
    for source in (options.source, None):
        label = f"{Path(source).name if source else 'nothing'}, {options.epochs}"
        label += f" x {options.samples}" if options.samples else ""
        runs[label] = trained(options.system, options.epochs, options.samples, source)
        runs.update({"nothing, all": full} if full else {})
        write_json(found, FIGURES)
        write_text(page(found), PAGE)


if __name__ == "__main__":
    main()
