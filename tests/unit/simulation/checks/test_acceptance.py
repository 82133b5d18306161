"""The gate opens for good figures only, and says which figure is bad and what to change."""

from __future__ import annotations

import copy
import json

import pytest

from pacbed.errors import FormatError, SimulationError
from pacbed.simulation.checks.acceptance import accept_simulation

PATTERN = {"thickness_nm": 80.0, "convergence_mrad": 15.0, "mistilt_mrad": [1.0, 2.0], "relative_l2": 1e-3}
REFEREE = {
    "schema_version": 1, "applicable": True, "accepted": True, "tolerance": 2e-3, "worst_relative_l2": 1e-3,
    "patterns": [PATTERN, {**PATTERN, "thickness_nm": 7.0, "relative_l2": 5e-4}], "picture": "referee.png",
}  # fmt: skip
CONVERGENCE = {
    "schema_version": 1, "picture": "convergence.png",
    "checks": [
        {"name": "grid", "what": "relative L2", "worst": 1e-3, "tolerance": 2e-3, "proposal": []},
        {"name": "mean_loss", "what": "fraction lost", "worst": 0.01, "tolerance": 0.02, "proposal": []},
    ],
}  # fmt: skip


@pytest.fixture
def judge(tmp_path):
    """Writes findings, asks the gate, and returns what it wrote."""

    def accept(referee=REFEREE, convergence=CONVERGENCE):
        paths = [tmp_path / f"{name}.json" for name in ("referee", "convergence", "accepted")]
        for path, content in zip(paths, (referee, convergence), strict=False):
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        try:
            accept_simulation(*paths)
        except (SimulationError, FormatError):
            assert not paths[2].exists()
            raise
        return json.loads(paths[2].read_text())

    return accept


def test_good_figures_pass_and_are_written_down(judge):
    assert judge() == {"schema_version": 1, "worst": {"referee": 1e-3, "grid": 1e-3, "mean_loss": 0.01}}


def test_the_tolerance_itself_is_good_enough(judge):
    referee, convergence = copy.deepcopy(REFEREE), copy.deepcopy(CONVERGENCE)
    referee["patterns"][0]["relative_l2"] = referee["tolerance"]
    convergence["checks"][0]["worst"] = convergence["checks"][0]["tolerance"]
    judge(referee, convergence)


def test_a_bad_pattern_is_named_with_its_parameters_and_its_picture(judge):
    referee = copy.deepcopy(REFEREE)
    referee["patterns"][1]["relative_l2"] = 3e-3
    with pytest.raises(SimulationError) as caught:
        judge(referee)
    lines = str(caught.value).splitlines()
    assert lines[0] == "the simulation is not accurate enough:"
    assert lines[1:] == [
        "rocking table against probe scan at 7.0 nm, 15.0 mrad, mistilt [1.0, 2.0] mrad: relative L2 3.00e-03, "
        "accepted: 2.00e-03 (picture: referee.png)"
    ]


def test_bad_numerics_stop_with_the_line_to_paste(judge):
    convergence = copy.deepcopy(CONVERGENCE)
    convergence["checks"][0] |= {"worst": 0.5, "proposal": ["grid_px: [54, 54]"]}
    with pytest.raises(SimulationError) as caught:
        judge(convergence=convergence)
    assert str(caught.value).splitlines()[1:] == [
        "grid: relative L2 5.00e-01, accepted: 2.00e-03 (picture: convergence.png; lines to paste: grid_px: [54, 54])"
    ]


def test_every_problem_is_told_at_once(judge):
    referee, convergence = copy.deepcopy(REFEREE), copy.deepcopy(CONVERGENCE)
    for pattern in referee["patterns"]:
        pattern["relative_l2"] = 0.1
    for check in convergence["checks"]:
        check["worst"] = 0.1
    with pytest.raises(SimulationError) as caught:
        judge(referee, convergence)
    assert len(str(caught.value).splitlines()) == 5


@pytest.mark.parametrize("whose", ["referee", "convergence"])
def test_not_a_number_does_not_pass(judge, whose):
    """NaN compares false with everything: the gate must not be open to it."""
    referee, convergence = copy.deepcopy(REFEREE), copy.deepcopy(CONVERGENCE)
    if whose == "referee":
        referee["patterns"][0]["relative_l2"] = float("nan")
    else:
        convergence["checks"][0]["worst"] = float("nan")
    with pytest.raises(SimulationError, match="nan"):
        judge(referee, convergence)


def test_a_crystal_without_direct_simulation_is_judged_by_its_numerics(judge, caplog):
    referee = {"schema_version": 1, "applicable": False, "reason": "no rectangle"}
    accepted = judge(referee)
    assert "accepted without a referee" in caplog.text
    assert accepted == {
        "schema_version": 1, "worst": {"grid": 1e-3, "mean_loss": 0.01}, "referee_applicable": False,
        "reason": "no rectangle",
    }  # fmt: skip


def test_numerics_alone_can_refuse_it(judge):
    convergence = copy.deepcopy(CONVERGENCE)
    convergence["checks"][1]["worst"] = 0.5
    with pytest.raises(SimulationError, match="mean_loss"):
        judge({"schema_version": 1, "applicable": False, "reason": "no rectangle"}, convergence)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"schema_version": 2}', '{"schema_version": 1}'])
@pytest.mark.parametrize("whose", ["referee", "convergence"])
def test_damaged_findings_are_refused(judge, content, whose):
    with pytest.raises(FormatError, match=rf"{whose}\.json"):
        judge(**{whose: content})


def test_missing_findings_are_refused(tmp_path):
    with pytest.raises(FormatError, match=r"gone\.json"):
        accept_simulation(tmp_path / "gone.json", tmp_path / "gone.json", tmp_path / "accepted.json")
