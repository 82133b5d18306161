"""Runs Snakemake as a user does: on its own, in a folder of its own."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MINI = Path(__file__).parent / "mini.yaml"
TRUTH = {"thickness_nm": 6.4, "convergence_mrad": 13.6, "mistilt_mrad": (1.0, -0.5)}
PIXEL_MRAD = 0.45

# Raises the version of the stages named before "--", then hands over to Snakemake.
WITH_STAGES = """
import sys
from pacbed.workflow import stages
end = sys.argv.index("--")
stages.STAGE_VERSIONS = {**stages.STAGE_VERSIONS, **{name: 99 for name in sys.argv[1:end]}}
from snakemake.cli import main
main(sys.argv[end + 1:])
"""


@dataclass
class Workplace:
    """A folder in which Snakemake runs this repository's workflow."""

    folder: Path

    root = ROOT

    def command(self, *arguments, configs=("mini.yaml",), bumped=()):
        """Command line of a run of Snakemake."""
        config = ["--configfile", *(str(self.folder / name) for name in configs)] if configs else []
        return [
            *(sys.executable, "-c", WITH_STAGES, *bumped, "--"),
            *("--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder), *config, *arguments),
        ]

    def snakemake(self, *arguments, configs=("mini.yaml",), bumped=()):
        """Run Snakemake; returns the finished process."""
        command = self.command(*arguments, configs=configs, bumped=bumped)
        environment = {**os.environ, "COLUMNS": "200", "MPLBACKEND": "agg"}
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)

    def planned(self, *arguments, **options):
        """Count the jobs of a dry run by rule, the target `all` left out."""
        done = self.snakemake("--dry-run", *arguments, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return count_jobs(done.stdout + done.stderr)

    def overlay(self, changes, name="overlay.yaml"):
        """Write a second config file that changes values of the first; returns both names."""
        (self.folder / name).write_text(yaml.safe_dump({"systems": {"mini": changes}}))
        return ("mini.yaml", name)


def count_jobs(text):
    """Table "Job stats" of a dry run, by rule."""
    if "Nothing to be done" in text:
        return {}
    table = text.rsplit("Job stats:", 1)[1].split("total", 1)[0]
    counts = {name: int(count) for name, count in re.findall(r"^([a-z_]+) +(\d+)$", table, flags=re.MULTILINE)}
    return {name: count for name, count in counts.items() if name != "all"}


def make_workplace(folder):
    shutil.copy(MINI, folder / "mini.yaml")
    shutil.copytree(ROOT / "structures", folder / "structures")
    return Workplace(folder)


def write_data(folder, table):
    """Render noisy, 16-bit patterns off every grid of the mini system: a single one and a small scan."""
    import tifffile

    from pacbed.patterns import Geometry
    from pacbed.simulation.rendering.renderer import Renderer

    geometry = Geometry(shape=(96, 96), pixel_mrad=PIXEL_MRAD, center_px=(48.7, 46.2), rotation_deg=12.0)
    clean = Renderer(table).render(**TRUTH, geometry=geometry, blur_mrad=0.3)
    electrons = np.broadcast_to(clean / clean.max() * 2000, (2, 4, *clean.shape))
    counts = (np.random.default_rng(1).poisson(electrons) + 100).astype(np.uint16)
    tifffile.imwrite(folder / "film.tif", counts[0, 0])
    np.save(folder / "scan.npy", counts)


@pytest.fixture(scope="session")
def plain_workplace(tmp_path_factory):
    """A workplace with a config, a crystal and (empty) data, for dry runs."""
    workplace = make_workplace(tmp_path_factory.mktemp("plain"))
    for name in ("film.tif", "scan.npy"):
        (workplace.folder / name).touch()
    return workplace


@pytest.fixture(scope="session")
def finished(tmp_path_factory, tiny_table):
    """A workplace in which the whole mini DAG has run, up to the prediction."""
    workplace = make_workplace(tmp_path_factory.mktemp("finished"))
    write_data(workplace.folder, tiny_table)
    done = workplace.snakemake("--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return workplace
