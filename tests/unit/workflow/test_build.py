"""What stops a build before it begins, and what a failure says."""

from pathlib import Path

import pytest

from pacbed.errors import ConfigError, ParameterError, SimulationError
from pacbed.locks import locked
from pacbed.workflow import build
from pacbed.workflow.request import BuildRequest

CIF = Path(__file__).parents[3] / "structures" / "srtio3.cif"


def ask(out, *, networks="none", energy_kev=200.0, cores=1, overwrite=False):
    request = BuildRequest(CIF, (0, 0, 1), energy_kev, (20.0, 20.0), networks=networks)
    build.build_bundle(request, out, cores=cores, overwrite=overwrite, tell=print)


@pytest.mark.parametrize("name", ["sto.pacbed", "sto.yaml"])
def test_nothing_that_is_there_is_replaced_unasked(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(ParameterError, match=rf"out: got .*accepted: a new name, or --overwrite: .*{name} exists"):
        ask(tmp_path / "sto.pacbed")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"out": "sto.zip"}, ParameterError, "a file name that ends in .pacbed"),
        ({"cores": 0}, ParameterError, "cores: got 0, accepted: 1 or more"),
        ({"energy_kev": 5.0}, ConfigError, "beam.energy_kev: got 5.0"),
    ],
)
def test_bad_values_leave_nothing(tmp_path, options, error, text):
    with pytest.raises(error, match=text):
        ask(tmp_path / options.pop("out", "sto.pacbed"), **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("networks", "missing"), [("none", "abtem"), ("compact", "abtem, tensorflow")])
def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch, networks, missing):
    there = build.find_spec
    monkeypatch.setattr(build, "find_spec", lambda name: None if name in ("abtem", "tensorflow") else there(name))
    with pytest.raises(SimulationError, match=rf"got no {missing}, accepted: .*pip install 'pacbed\[workflow\]'"):
        ask(tmp_path / "sto.pacbed", networks=networks)
    assert list(tmp_path.iterdir()) == []


def test_two_builds_of_one_bundle_do_not_meet(tmp_path):
    work = build.work_folder(tmp_path / "sto.pacbed")
    with (
        locked(work / "lock"),
        pytest.raises(ParameterError, match=r"a bundle that nobody is building; one is at work in .*\.building"),
    ):
        ask(tmp_path / "sto.pacbed")
    assert [path.name for path in work.iterdir()] == ["lock"]
