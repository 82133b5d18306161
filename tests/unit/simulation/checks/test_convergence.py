"""The check of the numerics passes good ones, catches each bad one, and predicts the error of a rendered pattern."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.crystal.slicing import slice_potentials
from pacbed.errors import FormatError
from pacbed.simulation.checks.convergence import CHECKS, ConvergenceSettings, check_convergence
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.scan.direct_pattern import SampledGeometry
from pacbed.simulation.scan.probes import ScanPattern
from pacbed.simulation.structure.finding import Finding, as_evidence
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings

ROOT = Path(__file__).resolve().parents[4]
SETTINGS = ConvergenceSettings(
    thickness_max_nm=10.0, alpha_max_mrad=12.0, tau_max_mrad=3.0, max_angle_mrad=18.0, direction_pitch_mrad=0.8,
    plane_spacing_nm=1.0, propagator="exact", tolerance=2e-3,
)  # fmt: skip


def _check(slices, folder, **changes):
    (folder / "structure").mkdir(exist_ok=True)
    slices.save(folder / "structure")
    check_convergence(folder / "structure", replace(SETTINGS, **changes), folder / "found.json", folder / "found.png")
    assert (folder / "found.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads((folder / "found.json").read_text())
    return found, {check["name"]: check for check in found["checks"]}


def _on_grid(grid, slices=2):
    crystal = orient(read_cif(ROOT / "structures" / "srtio3.cif"), (0, 0, 1))
    return slice_potentials(crystal, zone_axis=(0, 0, 1), energy_ev=200e3, grid=grid, slices=slices)


def test_good_numerics_pass(tmp_path):
    found, checks = _check(_on_grid((44, 44)), tmp_path, direction_pitch_mrad=0.6)
    assert found["accepted"]
    assert not any(check["proposal"] for check in checks.values())
    assert found["thicknesses_nm"] == [pytest.approx(10.0, abs=0.391)]
    # The atoms lie in two planes, each with a slice of its own: half the depth puts vacuum in between, no more.
    assert checks["slice_depth"]["worst"] < 1e-4
    assert 0 < checks["direction_pitch"]["worst"] < 2e-3
    assert 0 < checks["thickness_planes"]["worst"] < 2e-3


def test_coarse_grid_and_thick_slices_are_caught(tmp_path):
    found, checks = _check(_on_grid((18, 18), slices=1), tmp_path)
    assert not found["accepted"]
    assert checks["slice_depth"]["worst"] > 2e-3
    assert checks["slice_depth"]["proposal"] == ["slice_depth_nm: 0.1953"]
    assert checks["grid"]["worst"] > 5e-3
    assert checks["grid"]["proposal"] == ["grid_px: [28, 28]"]
    assert 1e-3 < checks["mean_loss"]["worst"] < checks["worst_loss"]["worst"]


@pytest.mark.parametrize("choice", ["direction_pitch_mrad", "plane_spacing_nm"])
def test_a_distance_that_was_never_measured_is_named(srtio3_slices, tmp_path, choice):
    with pytest.raises(FormatError, match=r"numerics\.json: damaged or missing"):
        _check(srtio3_slices, tmp_path, **{choice: "auto"})


def test_measured_distances_are_taken_from_the_structure(srtio3_slices, tmp_path):
    """The checks of interpolation are those of the distances written beside the slices."""
    quick = {"alpha_max_mrad": 4.0, "tau_max_mrad": 1.0, "max_angle_mrad": 6.0, "thickness_max_nm": 4.0}
    by_hand = _check(srtio3_slices, tmp_path, direction_pitch_mrad=1.0, plane_spacing_nm=1.6, **quick)[1]
    (tmp_path / "structure" / "numerics.json").write_text('{"direction_pitch_mrad": 1.0, "plane_spacing_nm": 1.6}')
    measured = _check(srtio3_slices, tmp_path, direction_pitch_mrad="auto", plane_spacing_nm="auto", **quick)[1]
    assert measured == by_hand


def test_what_the_structure_stage_found_is_taken_over_and_the_rest_is_checked(srtio3_slices, tmp_path):
    """Evidence on the same patterns counts; on others, or of a distance that is given by hand, it does not."""
    quick = {"alpha_max_mrad": 4.0, "tau_max_mrad": 1.0, "max_angle_mrad": 6.0, "thickness_max_nm": 4.0}
    limits = PatternLimits.among(replace(SETTINGS, **quick))
    found = [Finding(name, "by hand", [1.25e-3], 2e-3, "") for name in ("grid", "direction_pitch")]
    numerics = {"direction_pitch_mrad": 1.0, "plane_spacing_nm": 1.6, "evidence": as_evidence(found, limits)}
    (tmp_path / "structure").mkdir()
    (tmp_path / "structure" / "numerics.json").write_text(json.dumps(numerics))
    taken = _check(srtio3_slices, tmp_path, direction_pitch_mrad="auto", **quick)[1]
    assert list(taken) == list(CHECKS)
    assert [name for name, check in taken.items() if check["what"] == "by hand"] == ["grid", "direction_pitch"]
    by_hand = _check(srtio3_slices, tmp_path, direction_pitch_mrad=1.0, **quick)[1]
    assert [name for name, check in by_hand.items() if check["what"] == "by hand"] == ["grid"]
    other = _check(srtio3_slices, tmp_path, direction_pitch_mrad="auto", **{**quick, "alpha_max_mrad": 4.2})[1]
    assert not [name for name, check in other.items() if check["what"] == "by hand"]


def test_predicted_interpolation_error_is_that_of_a_rendered_pattern(srtio3_slices, tmp_path):
    """A table with a pitch far too coarse: the proposal is fine enough, the prediction right within a factor of 2."""
    coarse = 7.0
    _, checks = _check(srtio3_slices, tmp_path, direction_pitch_mrad=coarse)
    predicted = checks["direction_pitch"]["worst"]
    assert predicted > 2e-3
    name, value = checks["direction_pitch"]["proposal"][0].split(": ")
    assert name == "direction_pitch_mrad"
    assert 0.3 < float(value) < coarse
    settled = _check(srtio3_slices, tmp_path, direction_pitch_mrad=float(value))[1]["direction_pitch"]
    assert settled["worst"] < 2e-3

    images = [_render(tmp_path, pitch) for pitch in (coarse, coarse / 6)]
    error = np.linalg.norm(images[0] - images[1]) / np.linalg.norm(images[1])
    assert predicted / 2 < error < predicted * 2


def _render(folder, pitch):
    settings = TableSettings(
        thickness_max_nm=10.0, cone_mrad=15.0, field_mrad=22.0, direction_pitch_mrad=pitch, propagator="exact", batch=64
    )
    simulate_rocking_block(folder / "structure", settings, block=0, blocks=1, out_dir=folder / "block")
    gather_rocking_table([folder / "block"], folder / "table")
    axis = np.linspace(-18, 18, 41) + 0.123
    geometry = SampledGeometry.of(ScanPattern(np.zeros((41, 41)), axis, axis, 12.0))
    return Renderer(RockingTable.load(folder / "table")).render(
        thickness_nm=9.76, convergence_mrad=12.0, mistilt_mrad=(2.5, 1.0), geometry=geometry, edge_mrad=0.0
    )
