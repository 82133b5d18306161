"""The referee finds what is right and what is wrong with a table, and the gate says so."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pacbed.errors import FormatError, SimulationError
from pacbed.simulation.checks.acceptance import accept_simulation
from pacbed.simulation.checks.parameter_sets import RefereeSettings
from pacbed.simulation.checks.referee import referee_simulation

SETTINGS = RefereeSettings(
    cells=3, patterns=1, max_thickness_nm=4.0, full_thickness=True, seed=1, tolerance=2e-3, thickness_max_nm=10.0,
    alpha_max_mrad=12.0, tau_max_mrad=3.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def refereed(tiny_table_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("referee")
    structure = tiny_table_dir.parent / "structure"
    referee_simulation(structure, tiny_table_dir, SETTINGS, folder / "referee.json", folder / "referee.png")
    return folder


@pytest.fixture
def converged(tmp_path):
    """What `check_convergence` would write for good numerics."""
    check = {"name": "grid", "what": "relative L2", "values": [1e-3], "worst": 1e-3, "tolerance": 2e-2, "proposal": []}
    path = tmp_path / "convergence.json"
    path.write_text(json.dumps({"schema_version": 1, "checks": [check], "picture": "convergence.png"}))
    return path


def test_a_good_table_is_accepted(refereed, converged, tmp_path):
    found = json.loads((refereed / "referee.json").read_text())
    assert found["accepted"]
    assert found["worst_relative_l2"] == max(result["relative_l2"] for result in found["patterns"]) < 1e-3
    assert [result["thickness_nm"] for result in found["patterns"]][-1] == pytest.approx(10.0, abs=0.391)
    for result in found["patterns"]:
        sums = result["fraction_in_field"]
        assert sums["table"] == pytest.approx(sums["scan"], rel=1e-3)
    assert (refereed / "referee.png").read_bytes().startswith(b"\x89PNG")
    accept_simulation(refereed / "referee.json", converged, tmp_path / "accepted.json")
    worst = json.loads((tmp_path / "accepted.json").read_text())["worst"]
    assert worst == {"referee": found["worst_relative_l2"], "grid": 1e-3}


def test_a_table_that_is_two_percent_off_in_thickness_fails(tiny_table, tiny_table_dir, converged, tmp_path):
    wrong = replace(tiny_table, plane_spacing_nm=1.02 * tiny_table.plane_spacing_nm)
    wrong.save(tmp_path / "wrong")
    out = tmp_path / "referee.json", tmp_path / "referee.png"
    referee_simulation(tiny_table_dir.parent / "structure", tmp_path / "wrong", SETTINGS, *out)
    found = json.loads(out[0].read_text())
    assert not found["accepted"]
    assert out[1].is_file()
    with pytest.raises(SimulationError) as caught:
        accept_simulation(out[0], converged, tmp_path / "accepted.json")
    assert str(out[1]) in str(caught.value)
    assert f"{found['worst_relative_l2']:.2e}" in str(caught.value)
    assert not (tmp_path / "accepted.json").exists()


def test_a_crystal_without_direct_simulation_passes_with_a_warning(
    tiny_table_dir, srtio3_slices, converged, tmp_path, caplog
):
    """Sheared slices fit no rectangle: the findings say so, and the gate opens on the convergence alone."""
    (tmp_path / "structure").mkdir()
    replace(srtio3_slices, slope=np.array([0.1, 0.0])).save(tmp_path / "structure")
    out = tmp_path / "referee.json", tmp_path / "referee.png"
    referee_simulation(tmp_path / "structure", tiny_table_dir, SETTINGS, *out)
    found = json.loads(out[0].read_text())
    assert found["applicable"] is False
    assert "slope: got [0.1, 0.0]" in found["reason"]
    assert out[1].read_bytes().startswith(b"\x89PNG")
    caplog.clear()
    accept_simulation(out[0], converged, tmp_path / "accepted.json")
    assert "accepted without a referee" in caplog.text
    accepted = json.loads((tmp_path / "accepted.json").read_text())
    assert accepted["referee_applicable"] is False
    assert accepted["reason"] == found["reason"]
    assert accepted["worst"] == {"grid": 1e-3}


def test_a_structure_of_another_voltage_is_refused(tiny_table_dir, srtio3_slices, tmp_path):
    replace(srtio3_slices, energy_ev=300e3).save(tmp_path)
    with pytest.raises(FormatError, match="table: got SrTiO3"):
        referee_simulation(tmp_path, tiny_table_dir, SETTINGS, tmp_path / "r.json", tmp_path / "r.png")
    assert not (tmp_path / "r.json").exists()
