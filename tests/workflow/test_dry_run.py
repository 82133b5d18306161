"""What Snakemake plans and refuses, without running anything."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pacbed.config.system import load_config
from pacbed.workflow.stages import STAGE_VERSIONS
from pacbed.workflow.table_size import block_count

pytestmark = pytest.mark.workflow
ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))
HEAVY = ("tensorflow", "keras", "abtem", "ase", "spglib", "numba", "scipy", "matplotlib", "zarr")


def dry_run(*configs):
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", "--configfile", *map(str, configs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def expected_rules(config):
    scan = config.simulation.engine == "scan"
    optional = {
        "predict_pattern": config.patterns,
        "map_dataset": config.datasets,
        "simulate_scan_block": scan,
        "referee_phonons": config.simulation.referee.phonons,
    }
    return {rule for rule in STAGE_VERSIONS if optional.get(rule, True)}


def test_ready_made_configs_are_there():
    materials = {"srtio3_200kv", "srtio3_300kv", "rutile_80kv", "beryl_300kv", "anatase_200kv"}
    assert {path.stem for path in CONFIGS} >= {"demo", *materials}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_config_gives_the_full_dag(config):
    text = dry_run(config)
    (system,) = load_config([config]).systems.values()
    assert set(re.findall(r"^(?:local)?rule (\w+):$", text, flags=re.MULTILINE)) == expected_rules(system) | {"all"}
    assert text.count("rule simulate_rocking_block:") == block_count(system)
    assert text.count("rule train_network:") == 1


def test_the_recipe_of_the_readme_is_planned_as_it_stands(plain_workplace):
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    file = plain_workplace.folder / "anatase_200kv.yaml"
    file.write_text(text, encoding="utf-8")
    jobs = plain_workplace.planned(configs=[file.name])
    assert set(jobs) == expected_rules(load_config([file]).systems["anatase_200kv"])


def test_two_configs_make_one_dag_of_both():
    text = dry_run(ROOT / "config" / "rutile_80kv.yaml", ROOT / "config" / "beryl_300kv.yaml")
    assert text.count("rule pack_bundle:") == 2


def test_systems_in_one_dag_do_not_touch_each_other(plain_workplace):
    other = {
        "systems": {"other": yaml.safe_load((plain_workplace.folder / "mini.yaml").read_text())["systems"]["mini"]}
    }
    other["systems"]["other"]["beam"]["energy_kev"] = 300
    (plain_workplace.folder / "other.yaml").write_text(yaml.safe_dump(other))
    done = plain_workplace.snakemake("--dry-run", configs=("mini.yaml", "other.yaml"))
    jobs = re.findall(r"^rule (?!all)\w+:\n((?:    .*\n)+)", done.stdout + done.stderr, flags=re.MULTILINE)
    assert len(jobs) == 2 * (len(STAGE_VERSIONS) + 1 - 2)  # one block more, neither scan nor phonons
    for job in jobs:
        system = re.search(r"wildcards: .*system=(\w+)", job)[1]
        assert set(re.findall(r"results/(\w+)/", job)) == {system}


def test_the_scan_engine_fills_the_same_stack_and_nothing_else_changes(plain_workplace):
    by_table = plain_workplace.planned()
    by_scan = plain_workplace.planned(
        configs=plain_workplace.overlay({"simulation": {"engine": "scan", "scan": {"blocks": 3}}}, "scan.yaml")
    )
    assert by_scan == {**by_table, "simulate_scan_block": 3}


def test_without_networks_nothing_is_trained_and_nothing_else_changes(plain_workplace):
    planned = plain_workplace.planned()
    without = plain_workplace.planned(configs=plain_workplace.overlay({"training": {"recipe": "none"}}, "none.yaml"))
    assert without == {rule: n for rule, n in planned.items() if rule not in ("train_network", "export_networks")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beam": {"energy_kev": -3}}, r"systems\.mini\.beam\.energy_kev: got -3, accepted: .*20 to 1000.*keV"),
        ({"beam": {"energy": 200}}, r"systems\.mini\.beam\.energy: unknown key .*accepted: energy_kev"),
        ({"crystal": {"zone_axis": [0, 0, 0]}}, r"systems\.mini\.crystal\.zone_axis: got \[0, 0, 0\], accepted: three"),
        (
            {"grid": {"thickness_nm": {"step": 1e-9}}},
            r"systems\.mini\.grid\.thickness_nm: got .*accepted: stop at or above",
        ),
        (
            {"training": {"recipe": "best"}},
            r"systems\.mini\.training\.recipe: got 'best', accepted: compact or paper or none",
        ),
    ],
)
def test_bad_value_stops_before_any_job(plain_workplace, changes, message):
    configs = plain_workplace.overlay(changes, "bad.yaml")
    done = plain_workplace.snakemake("--cores", "1", configs=configs)
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert re.search(message, text)
    assert "Traceback" not in text
    assert not (plain_workplace.folder / "results").exists()


def test_missing_cif_is_named_before_any_job(plain_workplace):
    configs = plain_workplace.overlay({"crystal": {"cif": "structures/gone.cif"}}, "gone.yaml")
    done = plain_workplace.snakemake("--cores", "1", configs=configs)
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert "systems.mini.crystal.cif: got 'structures/gone.cif', accepted: the path of an existing CIF file" in text
    assert "Traceback" not in text
    assert not (plain_workplace.folder / "results" / "mini").exists()


def test_no_config_lists_the_ready_made_ones(plain_workplace):
    done = plain_workplace.snakemake("--dry-run", configs=())
    assert done.returncode == 1
    assert "--configfile" in done.stderr
    assert "config/demo.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_system_is_no_target(plain_workplace):
    done = plain_workplace.snakemake("--dry-run", "results/unknown/bundle/unknown.pacbed")
    assert done.returncode == 1
    assert "MissingRuleException" in done.stdout + done.stderr


def test_parsing_imports_nothing_heavy(plain_workplace):
    program = (
        "import sys\nfrom snakemake.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print('LOADED', sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    arguments = ["-n", "--quiet", "--snakefile", ROOT / "Snakefile", "--directory", plain_workplace.folder]
    command = [sys.executable, "-c", program, *arguments, "--configfile", plain_workplace.folder / "mini.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "LOADED []" in done.stdout


def test_profile_for_slurm_can_be_read():
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
    default = yaml.safe_load((ROOT / "profiles" / "default" / "config.yaml").read_text())
    shared = ("rerun-incomplete", "rerun-triggers", "keep-going", "show-failed-logs")
    assert {key: profile[key] for key in shared} == {key: default[key] for key in shared}
