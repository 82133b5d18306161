"""What Snakemake says of the CIF files of its systems while it plans, and that jobs leave it at that."""

import re

import pytest
import yaml

from .conftest import make_workplace

pytestmark = pytest.mark.workflow


@pytest.fixture
def systems(tmp_path):
    """A workplace, and a function that writes one configuration file of crystals by the name of their system."""
    workplace = make_workplace(tmp_path)
    mini = yaml.safe_load((tmp_path / "mini.yaml").read_text())["systems"]["mini"]

    def write(**crystals):
        grid = {"grid": mini["grid"], "beam": mini["beam"]}
        made = {name: {**grid, "crystal": {"zone_axis": [0, 0, 1], **crystal}} for name, crystal in crystals.items()}
        (tmp_path / "systems.yaml").write_text(yaml.safe_dump({"systems": made}, sort_keys=False))
        return ("systems.yaml",)

    return workplace, write


def spoilt(workplace, name, old, new):
    """Name of a copy of the CIF file of SrTiO3 in which one text is another."""
    text = (workplace.folder / "structures" / "srtio3.cif").read_text()
    assert text.count(old) == 1
    (workplace.folder / "structures" / name).write_text(text.replace(old, new))
    return f"structures/{name}"


def booked(text):
    """Memory and time of the one job of a dry run."""
    (resources,) = re.findall(r"^    resources: (.*)$", text, flags=re.MULTILINE)
    return set(re.findall(r"\b(?:mem_mb|runtime)=\d+", resources))


def test_a_dry_run_names_all_bad_crystals_and_plans_nothing(systems):
    workplace, write = systems
    comma = spoilt(workplace, "comma.cif", "_cell_length_b                    3.90528", "_cell_length_b 3,90528")
    configs = write(
        first={"cif": "structures/srtio3.cif"},
        comma={"cif": comma},
        second={"cif": "structures/rutile.cif"},
        axis={"cif": "structures/rutile.cif", "zone_axis": [1, 0, -1, 0]},
    )
    done = workplace.snakemake("--dry-run", configs=configs)
    assert done.returncode == 1
    text = done.stdout + done.stderr
    told = [line for line in text.splitlines() if line.startswith("systems.")]
    line = 1 + (workplace.folder / comma).read_text().splitlines().index("_cell_length_b 3,90528")
    assert told == [
        f"systems.comma.crystal.cif: {comma}, line {line}: cell length, _cell_length_b: got '3,90528', accepted: a "
        "number in Å; with a decimal point, not a comma",
        "systems.axis.crystal.zone_axis: got [1, 0, -1, 0], accepted: four integers [u, v, t, w] with t = -(u + v) for "
        "a hexagonal cell, or three for any cell",
    ]
    assert "Traceback" not in text
    assert "Building DAG" not in text


def test_what_was_put_right_is_told_once_and_by_planning_alone(systems):
    """A job of a cluster parses the Snakefile as this one does: it minds no other crystal, and books the same."""
    workplace, write = systems
    cif = spoilt(workplace, "strained.cif", "_cell_length_c                    3.90528", "_cell_length_c 3.93")
    crystals = {"one": {"cif": cif}, "two": {"cif": cif, "zone_axis": [1, 1, 0]}}
    target = "results/one/structure/cell.json"
    planned = workplace.snakemake("--dry-run", target, configs=write(**crystals))
    assert planned.returncode == 0, planned.stdout + planned.stderr
    notes = [line for line in (planned.stdout + planned.stderr).splitlines() if line.startswith(cif)]
    assert len(notes) == 1
    assert "taken as strained" in notes[0]

    configs = write(**crystals, gone={"cif": "structures/gone.cif"})
    jobs = ("--target-jobs", "orient_structure:system=one", "--allowed-rules", "orient_structure")
    job = workplace.snakemake("--dry-run", "--mode", "remote", *jobs, configs=configs)
    text = job.stdout + job.stderr
    assert job.returncode == 0, text
    assert cif not in re.sub(r"input: .*", "", text)
    assert "gone" not in text
    assert booked(text) == booked(planned.stdout + planned.stderr)
    assert len(booked(text)) == 2
