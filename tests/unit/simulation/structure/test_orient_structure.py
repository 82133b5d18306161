"""The first stage: what lies in its folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.structure.orient_structure import orient_structure
from pacbed.simulation.structure.pitch_search import LIMIT as PITCH_LIMIT
from pacbed.simulation.structure.settings import StructureSettings
from pacbed.simulation.structure.spacing_search import LIMIT as SPACING_LIMIT

STRUCTURES = Path(__file__).parents[4] / "structures"
BY_HAND = StructureSettings(
    zone_axis=[0, 0, 1], energy_kev=200.0, thermal_model="debye_waller", parametrization="lobato", grid_px=[32, 32],
    slice_depth_nm=0.2, thickness_max_nm=10.0, cone_mrad=15.0, field_mrad=25.0, propagator="exact",
    direction_pitch_mrad=1.0, plane_spacing_nm=1.2, alpha_max_mrad=6.0, tau_max_mrad=3.0, max_angle_mrad=9.0,
    tolerance=2e-3,
)  # fmt: skip
FILES = {"cell.json", "slices.npz", "beam_group.json", "numerics.json", "fft_plans.json", "structure.png"}


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    folder = tmp_path_factory.mktemp("oriented") / "structure"
    orient_structure(STRUCTURES / "srtio3.cif", BY_HAND, out_dir=folder)
    return folder


def test_everything_lies_in_the_folder(by_hand):
    assert {file.name for file in by_hand.iterdir()} == FILES
    assert (by_hand / "structure.png").read_bytes().startswith(b"\x89PNG")
    slices = SlicePotentials.load(by_hand)
    assert slices.grid == (32, 32)
    assert slices.slice_depth_a == pytest.approx(3.905 / 2, abs=1e-3)
    assert (slices.energy_ev, slices.zone_axis, slices.thermal_model) == (200e3, (0, 0, 1), "debye_waller")


def test_the_figures_of_symmetry_lie_beside_the_slices(by_hand):
    found = json.loads((by_hand / "beam_group.json").read_text())
    assert len(found["operations"]) == 8
    assert all(row["kept"] and row["worst_l2"] < 1e-4 for row in found["operations"])
    slices = SlicePotentials.load(by_hand)
    np.testing.assert_array_equal(slices.group, [row["matrix"] for row in found["operations"]])
    np.testing.assert_array_equal(slices.terminations, [np.eye(2)])
    np.testing.assert_array_equal(slices.termination_lifts, [0.0])


def test_distances_by_hand_are_taken_as_they_are(by_hand):
    assert json.loads((by_hand / "numerics.json").read_text()) == {
        "direction_pitch_mrad": 1.0,
        "plane_spacing_nm": 1.2,
    }


def test_what_is_left_to_the_stage_is_measured(tmp_path):
    automatic = replace(
        BY_HAND, grid_px="auto", slice_depth_nm="auto", direction_pitch_mrad="auto", plane_spacing_nm="auto"
    )
    orient_structure(STRUCTURES / "srtio3.cif", automatic, out_dir=tmp_path / "structure")
    numerics = json.loads((tmp_path / "structure" / "numerics.json").read_text())
    assert list(numerics) == ["direction_pitch_mrad", "plane_spacing_nm", "evidence"]
    worst = {check["name"]: check["worst"] for check in numerics["evidence"]["checks"]}
    assert list(worst) == ["slice_depth", "grid", "mean_loss", "worst_loss", "direction_pitch", "thickness_planes"]
    assert 0 < worst["direction_pitch"] <= PITCH_LIMIT * automatic.tolerance
    assert 0 <= worst["thickness_planes"] <= SPACING_LIMIT * automatic.tolerance
    assert max(worst["slice_depth"], worst["grid"]) <= automatic.tolerance
    assert 0 < numerics["direction_pitch_mrad"] <= automatic.alpha_max_mrad / 4 * (1 + 1e-5)
    slices = SlicePotentials.load(tmp_path / "structure")
    assert len(slices.potential) == 2  # the layers of SrTiO3
    assert slices.grid[0] == slices.grid[1] != 32


def test_a_grid_that_is_too_small_leaves_nothing_behind(tmp_path):
    with pytest.raises(SimulationError, match=r"grid_px: got \[16, 16\]"):
        orient_structure(
            STRUCTURES / "srtio3.cif", replace(BY_HAND, grid_px=[16, 16], field_mrad=60.0), out_dir=tmp_path / "s"
        )
    assert not list(tmp_path.iterdir())
