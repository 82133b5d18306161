"""What numerics chosen by themselves cost, and whether they are accepted: ten crystals from CIF file to the gate.

    make bench-numerics                       # all
    uv run python benchmarks/numerics.py si_110_300kv gan_0001_300kv

Each crystal goes through the stages of the workflow with everything on `auto`: structure, rocking table, convergence,
referee, acceptance; 1 to 100 nm, 18 and 20 mrad, mistilt up to 5 mrad. Times are CPU seconds of a process of their own,
without the start of Python; all loops are compiled before. Writes `benchmarks/numerics.json` and
`benchmarks/numerics.md`; crystals measured earlier are kept.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from textwrap import fill
from typing import Any, TypeVar

from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig, validate_config
from pacbed.errors import SimulationError
from pacbed.simulation.checks.acceptance import accept_simulation
from pacbed.simulation.checks.convergence import ConvergenceSettings, check_convergence
from pacbed.simulation.checks.parameter_sets import RefereeSettings
from pacbed.simulation.checks.referee import referee_simulation
from pacbed.simulation.structure.orient_structure import orient_structure
from pacbed.simulation.structure.settings import StructureSettings
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.settings import TableSettings

Settings = TypeVar("Settings")
HERE = Path(__file__).parent
ROOT = HERE.parent
UNIT = ROOT / "tests" / "unit" / "crystal" / "data"
STRUCTURES = ROOT / "structures"
CRYSTALS = {
    # name: CIF file, zone axis, high tension [kV]
    "si_110_300kv": (UNIT / "material_si.cif", (1, 1, 0), 300),
    "gan_0001_300kv": (UNIT / "material_gan.cif", (0, 0, 1), 300),
    "gan_11-20_300kv": (UNIT / "material_gan.cif", (1, 1, 0), 300),
    "hfo2_001_300kv": (UNIT / "material_hfo2.cif", (0, 0, 1), 300),
    "dysco3_110_300kv": (UNIT / "material_dysco3.cif", (1, 1, 0), 300),
    "srtio3_001_300kv": (STRUCTURES / "srtio3.cif", (0, 0, 1), 300),
    "rutile_001_200kv": (STRUCTURES / "rutile.cif", (0, 0, 1), 200),
    "gaas_110_200kv": (HERE / "cif" / "gaas.cif", (1, 1, 0), 200),
    "mgo_001_200kv": (HERE / "cif" / "mgo.cif", (0, 0, 1), 200),
    "au_110_200kv": (HERE / "cif" / "au.cif", (1, 1, 0), 200),
}
PARTS = 8  # blocks that a table is cut into where only one is timed
GRID = {
    "thickness_nm": {"start": 1, "stop": 100, "step": 1},
    "convergence_mrad": [18, 20],
    "mistilt_mrad": {"start": 0, "stop": 5, "step": 1},
    "azimuth_deg": "auto",
    "azimuth_step_deg": 22.5,
}


def cpu_seconds(stage: Callable[..., object], *arguments: object, **options: object) -> float:
    """CPU time of this process, threads included, that a stage takes [s]."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    stage(*arguments, **options)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return round(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, 1)


def measure(name: str, work: Path, *, quick: bool) -> dict:
    """Take one crystal through the stages in a folder; its figures."""
    cif, zone_axis, energy_kev = CRYSTALS[name]
    asked = {
        "crystal": {"cif": str(cif), "zone_axis": list(zone_axis)},
        "beam": {"energy_kev": energy_kev},
        "grid": GRID,
    }
    system = validate_config({"systems": {name: asked}}, folder=ROOT).systems[name]
    values, refereed = chosen(system), chosen(system, **dict(system.simulation.referee))
    structure, table = work / "structure", work / "rocking"
    convergence, referee = work / "convergence", work / "referee"
    seconds = {
        "search": cpu_seconds(orient_structure, cif, settings_of(StructureSettings, values), out_dir=structure),
        "convergence": cpu_seconds(
            check_convergence, structure, settings_of(ConvergenceSettings, values), *findings(convergence)
        ),
    }
    asked_of_table = settings_of(TableSettings, values)
    if quick:
        block = cpu_seconds(
            simulate_rocking_block, structure, asked_of_table, block=0, blocks=PARTS, out_dir=work / "0"
        )
        return {"cpu_s": {**seconds, "table": round(PARTS * block, 1)}, "quick": True, **outcome(work)}
    seconds["table"] = cpu_seconds(make_table, structure, asked_of_table, work / "block", table)
    seconds["referee"] = cpu_seconds(
        referee_simulation, structure, table, settings_of(RefereeSettings, refereed), *findings(referee)
    )
    return {"cpu_s": seconds, "quick": False, **outcome(work)}


def findings(stem: Path) -> tuple[Path, Path]:
    """Files of figures and picture."""
    return stem.with_suffix(".json"), stem.with_suffix(".png")


def make_table(structure: Path, settings: TableSettings, block: Path, table: Path) -> None:
    """The rocking table in one block."""
    simulate_rocking_block(structure, settings, block=0, blocks=1, out_dir=block)
    gather_rocking_table([block], out_dir=table)


def outcome(work: Path) -> dict:
    """What the stages wrote: numerics, figures of both checks, and whether the gate opens."""
    cell = json.loads((work / "structure" / "cell.json").read_text())
    numerics = json.loads((work / "structure" / "numerics.json").read_text())
    convergence = json.loads((work / "convergence.json").read_text())
    refereed = work / "referee.json"
    patterns = json.loads(refereed.read_text()).get("patterns", []) if refereed.exists() else []
    accepted: bool | None = None
    if refereed.exists():
        try:
            accept_simulation(refereed, work / "convergence.json", work / "accepted.json")
        except SimulationError as error:
            logging.warning("%s", error)
        accepted = (work / "accepted.json").exists()
    return {
        "grid_px": convergence["grid_px"],
        "slice_depth_a": round(cell["slice_depth_a"], 3),
        "direction_pitch_mrad": round(numerics["direction_pitch_mrad"], 3),
        "plane_spacing_nm": round(numerics["plane_spacing_nm"], 3),
        "convergence": {check["name"]: float(f"{check['worst']:.2g}") for check in convergence["checks"]},
        "referee": [float(f"{pattern['relative_l2']:.2g}") for pattern in patterns],
        "convergence_accepted": convergence["accepted"],
        "accepted": accepted,
    }


def chosen(system: SystemConfig, **more: Any) -> dict[str, Any]:
    """Values of the configuration and of its plan by name, as the rules of the workflow hand them over."""
    values = {**dict(system.crystal), **dict(system.simulation), **vars(plan(system)), **more}
    return {**values, "energy_kev": system.beam.energy_kev, "phonons": None}


def settings_of(kind: type[Settings], values: dict[str, Any]) -> Settings:
    """The settings object of a stage."""
    return kind(**{field.name: values[field.name] for field in fields(kind) if field.name in values})


def markdown(figures: dict) -> str:
    """Page of the figures of all crystals measured."""
    heads = ["crystal, axis", "search [s]", "table [s]", "convergence [s]", "referee [s]", "grid", "slice [Å]"]
    heads += ["referee, relative L2", "convergence, worst", "accepted"]
    text = (
        f"Measured by `make bench-numerics` on {figures['machine']}. CPU seconds of one process; the search is the "
        "whole stage `orient_structure`. The tolerance of every relative L2 is 2e-3. Tables with ≈ are one of eight "
        "blocks, times eight; these systems have not been refereed, and what is accepted is their convergence."
    )
    lines = ["# Numerics on `auto`: cost and acceptance", "", fill(text, 120), "", f"| {' | '.join(heads)} |"]
    lines.append("|---" + "|---:" * 8 + "|---|")
    lines += [row(name, one) for name, one in figures["crystals"].items()]
    for name, one in figures.get("before", {}).items():
        stages = ", ".join(f"{stage} {seconds:g}" for stage, seconds in one["cpu_s"].items())
        text = f"Before choices left to `auto` were judged within the search, {name} took: {stages} s."
        lines += ["", fill(text, 120)]
    return "\n".join(lines) + "\n"


def row(name: str, one: dict) -> str:
    """One crystal's row of the page."""
    seconds, worst = one["cpu_s"], max((v, check) for check, v in one["convergence"].items() if "loss" not in check)
    cells = [
        name,
        f"{seconds['search']:g}",
        f"{'≈ ' if one['quick'] else ''}{seconds['table']:g}",
        f"{seconds['convergence']:g}",
        f"{seconds['referee']:g}" if "referee" in seconds else "",
        " × ".join(map(str, one["grid_px"])),
        f"{one['slice_depth_a']:g}",
        f"{max(one['referee']):g}" if one["referee"] else "",
        f"{worst[1]} {worst[0]:g}",
        "yes" if (one["convergence_accepted"] if one["quick"] else one["accepted"]) else "no",
    ]
    return f"| {' | '.join(cells)} |"


def measure_alone(name: str, *, quick: bool) -> dict:
    """Measure one crystal in a process of its own, so that no plan or loop is there from the one before."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, name, "--work", folder, *(["--quick"] if quick else [])]
        subprocess.run(command, check=True)
        return json.loads((Path(folder) / "figures.json").read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crystals", nargs="*", default=list(CRYSTALS), help=f"of {', '.join(CRYSTALS)}")
    parser.add_argument("--work", type=Path, help="measure one crystal in this folder, and write nothing else")
    parser.add_argument("--quick", action="store_true", help="time an eighth of the table, and ask no referee")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.work:
        figures = measure(options.crystals[0], options.work, quick=options.quick)
        (options.work / "figures.json").write_text(json.dumps(figures))
        return
    file = HERE / "numerics.json"
    figures = json.loads(file.read_text()) if file.exists() else {"crystals": {}}
    figures["machine"] = f"{platform.processor() or platform.machine()}, Python {platform.python_version()}"
    for name in options.crystals:
        figures["crystals"][name] = measure_alone(name, quick=options.quick)
        figures["crystals"] = {known: figures["crystals"][known] for known in CRYSTALS if known in figures["crystals"]}
        file.write_text(json.dumps(figures, indent=2) + "\n")
        (HERE / "numerics.md").write_text(markdown(figures))
    print(markdown(figures))


if __name__ == "__main__":
    main()
