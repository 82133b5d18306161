"""One Slurm for all tests of this folder, and a workplace whose jobs go to it."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from .cluster import running_cluster

ROOT = Path(__file__).resolve().parents[2]
MINI = ROOT / "tests" / "workflow" / "mini.yaml"
OVERLAY = Path(__file__).parent / "overlay.yaml"


@dataclass(frozen=True)
class Workplace:
    """A folder in which Snakemake runs this repository's workflow on two systems."""

    folder: Path

    def command(self, *arguments):
        """Command line of a run of Snakemake."""
        configs = [str(self.folder / name) for name in ("mini.yaml", "bare.yaml")]
        snakefile = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        return [sys.executable, "-m", "snakemake", *snakefile, "--configfile", *configs, *arguments]

    def on_slurm(self, *targets):
        """Start a run whose jobs go to Slurm; its lines go to a file."""
        with (self.folder / "snakemake.out").open("a") as out:
            return subprocess.Popen(
                self.command("--workflow-profile", str(self.folder / "profile"), *targets),
                stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, text=True,
            )  # fmt: skip

    def said(self):
        """The last lines of all runs on Slurm."""
        return (self.folder / "snakemake.out").read_text()[-6000:]


@pytest.fixture(scope="package")
def cluster(tmp_path_factory):
    """The running Slurm."""
    with running_cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture(scope="package")
def workplace(tmp_path_factory):
    """Two systems: the mini one without recordings, and the same crystal at another voltage without networks."""
    folder = tmp_path_factory.mktemp("workplace")
    shutil.copytree(ROOT / "structures", folder / "structures")
    mini = yaml.safe_load(MINI.read_text())["systems"]["mini"]
    mini = {key: value for key, value in mini.items() if key not in ("patterns", "datasets")}
    bare = {**mini, "beam": {"energy_kev": 300}, "training": {"recipe": "none"}}
    for name, system in {"mini": mini, "bare": bare}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"systems": {name: system}}))
    (folder / "profile").mkdir()
    merged = {
        **yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text()),
        **yaml.safe_load(OVERLAY.read_text()),
    }
    (folder / "profile" / "config.yaml").write_text(yaml.safe_dump(merged))
    return Workplace(folder)
