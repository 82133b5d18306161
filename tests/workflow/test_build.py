"""`pacbed build`: one command from a CIF file to a bundle, killed in the middle and repeated."""

import os
import signal
import subprocess
import sys

import pytest
import yaml

import pacbed
from pacbed.config.system import load_config
from pacbed.errors import SimulationError
from pacbed.patterns import Geometry
from pacbed.workflow.build import build_bundle
from pacbed.workflow.request import BuildRequest

from .conftest import ROOT

pytestmark = pytest.mark.workflow
ASKED = (
    f"build {ROOT}/structures/srtio3.cif --zone-axis 0,0,1 --energy-kev 200 --convergence-mrad 13-14 "
    "--thickness-max-nm 10 --mistilt-max-mrad 2 --cores 2 --out sto.pacbed"
)


def start(folder, arguments=ASKED):
    command = [sys.executable, "-m", "pacbed.cli", *arguments.split()]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )


def end(child):
    out, err = child.communicate()
    return child.returncode, out, err.splitlines()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with a bundle: the first run is killed after its first stage, the second goes on."""
    folder = tmp_path_factory.mktemp("built")
    killed = start(folder)
    where, first = killed.stderr.readline(), killed.stderr.readline()
    killed.send_signal(signal.SIGTERM)
    status = end(killed)[0]
    assert where == "working in sto.pacbed.building; a build that is stopped goes on from there\n"
    assert first.startswith("[1/10] crystal and numerics, about "), first
    assert status == 130
    assert [path.name for path in folder.iterdir()] == ["sto.pacbed.building"]
    structure = folder / "sto.pacbed.building" / "results" / "sto" / "structure" / "slices.npz"
    made = structure.stat().st_mtime_ns

    again = start(folder, f"{ASKED} --keep")
    status, out, lines = end(again)
    assert status == 0, lines
    assert structure.stat().st_mtime_ns == made, "the finished stage was not run again"
    return folder, out, lines[1:]


def test_a_second_call_goes_on_and_tells_each_stage_once(built):
    folder, out, lines = built
    assert out.startswith("sto.pacbed: ")
    assert "configuration: sto.yaml" in out
    assert len(out.splitlines()) == 1
    left = len(lines)  # what the first run had begun may have been finished
    assert left <= 9
    assert [line.split("] ")[0] for line in lines] == [f"[{number}/{left}" for number in range(1, left + 1)]
    assert lines[-1] == f"[{left}/{left}] bundle packed"
    assert all("left" in line for line in lines[:-1])
    assert "Snakefile" in (folder / "sto.pacbed.building" / "build.log").read_text()


def test_the_bundle_answers_a_pattern(built):
    bundle = pacbed.load_bundle(built[0] / "sto.pacbed")
    bundle.verify()
    assert bundle.networks == {}
    assert bundle.meta.trained.convergence_mrad == (13, 14)
    assert bundle.meta.model_error.std_at(8.0) > 0
    image = bundle.renderer.render(
        thickness_nm=6.4, convergence_mrad=13.6, mistilt_mrad=(1.0, -0.5), blur_mrad=0.3,
        geometry=Geometry((96, 96), 0.45, (48.7, 46.2), 12.0),
    )  # fmt: skip
    result = pacbed.predict(bundle, 1e7 * image, convergence_mrad=13.6)
    assert result.thickness_nm.value == pytest.approx(6.4, abs=0.3)
    assert result.networks == {}


def test_the_configuration_beside_it_is_one(built):
    folder = built[0]
    (system,) = load_config([folder / "sto.yaml"]).systems.values()
    assert system.training.recipe == "none"
    assert system.crystal.cif == ROOT / "structures" / "srtio3.cif"
    assert list(yaml.safe_load((folder / "sto.yaml").read_text())["systems"]) == ["sto"]


def test_a_finished_bundle_is_made_again_only_if_asked_and_then_cleans_up(built):
    folder = built[0]
    before = (folder / "sto.pacbed").read_bytes()
    status, _, lines = end(start(folder))
    assert (status, len(lines)) == (2, 1)
    assert "accepted: a new name, or --overwrite" in lines[0]
    assert end(start(folder, f"{ASKED} --overwrite"))[0] == 0
    assert sorted(path.name for path in folder.iterdir()) == ["sto.pacbed", "sto.yaml"]
    assert (folder / "sto.pacbed").read_bytes() == before


def test_a_stage_that_fails_is_one_line_with_the_log(tmp_path):
    """A file lies where the first stage's folder belongs."""
    request = BuildRequest(ROOT / "structures" / "srtio3.cif", (0, 0, 1), 200.0, (13.0, 14.0))
    out, told = tmp_path / "sto.pacbed", []
    results = tmp_path / "sto.pacbed.building" / "results" / "sto"
    results.mkdir(parents=True)
    (results / "structure").touch()
    with pytest.raises(SimulationError, match=r"build\.log; the same command goes on") as caught:
        build_bundle(request, out, cores=1, tell=told.append)
    assert len(str(caught.value).splitlines()) == 1
    assert [line.split()[0] for line in told] == ["working"]
    assert "orient_structure" in (tmp_path / "sto.pacbed.building" / "build.log").read_text()
    assert not out.exists()
