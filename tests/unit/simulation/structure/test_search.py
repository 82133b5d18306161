"""Whatever is left to the first stage passes the check behind it, and what passes is the coarsest tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.errors import SimulationError
from pacbed.simulation.structure.refinement import check_grid, check_slice_depth
from pacbed.simulation.structure.search import search_distances, search_slices
from pacbed.simulation.structure.settings import StructureSettings
from pacbed.simulation.structure.slicing import Slicing, slice_count
from pacbed.simulation.structure.trial_aperture import Reference

STRUCTURES = Path(__file__).parents[4] / "structures"
AUTO = StructureSettings(
    zone_axis=[0, 0, 1], energy_kev=200.0, thermal_model="debye_waller", parametrization="lobato", grid_px="auto",
    slice_depth_nm="auto", thickness_max_nm=15.0, cone_mrad=9.0, field_mrad=15.0, propagator="exact",
    direction_pitch_mrad=1.0, plane_spacing_nm=1.2, alpha_max_mrad=5.0, tau_max_mrad=2.0, max_angle_mrad=9.0,
    tolerance=5e-4,
)  # fmt: skip


@pytest.fixture(scope="module")
def rumpled():
    """A heavy and a light atom at heights that no few planes meet."""
    cell, heights = np.diag([3.5, 3.5, 4.0]), np.array([0.0, 0.36, 0.55])
    fractional = np.stack([[0.0, 0.5, 0.5], [0.0, 0.5, 0.0], heights], axis=1)
    displacement = np.array([0.008 * np.eye(3)] * 3)
    crystal = Crystal(cell, ["Sr", "Ti", "O"], fractional @ cell, np.ones(3), displacement, "SrTiO", "by hand")
    return Slicing(crystal, (0, 0, 1), 200e3, slice_count(crystal, "auto"), "debye_waller", "lobato")


@pytest.fixture(scope="module")
def found(rumpled):
    return search_slices(rumpled, AUTO)


def test_slices_become_thinner_until_half_the_depth_changes_little(rumpled, found):
    at_first = Reference.of(rumpled.on_grid(found.slices.grid), AUTO.pattern_limits)
    assert not check_slice_depth(at_first, rumpled).good
    chosen = replace(rumpled, slices=len(found.slices.potential))
    assert chosen.slices > rumpled.slices
    again = Reference.of(chosen.on_grid(found.slices.grid), AUTO.pattern_limits)
    assert check_slice_depth(again, chosen).good
    assert check_grid(again, chosen).good
    assert [finding.name for finding in found.findings] == ["slice_depth", "grid", "mean_loss", "worst_loss"]
    assert all(finding.good for finding in found.findings)


def test_the_grid_grows_until_a_finer_one_changes_little(rumpled):
    """A tolerance that the loss to the band limit knows nothing of."""
    slicing = Slicing(
        orient(read_cif(STRUCTURES / "srtio3.cif"), (0, 0, 1)), (0, 0, 1), 200e3, 2, "debye_waller", "lobato"
    )
    usual, strict = (search_slices(slicing, replace(AUTO, tolerance=tolerance)) for tolerance in (2e-3, 1e-4))
    assert len(usual.slices.potential) == len(strict.slices.potential) == 2
    assert usual.slices.grid < strict.slices.grid
    assert strict.findings[1].worst <= 1e-4 < usual.findings[1].worst <= 2e-3


def test_numerics_by_hand_are_taken_and_not_judged(rumpled):
    by_hand = replace(AUTO, grid_px=[24, 28], slice_depth_nm=0.2)
    found = search_slices(rumpled, by_hand)
    assert found.slices.grid == (24, 28)
    assert (found.findings, found.reference) == ((), None)
    assert search_distances(found.slices, found, by_hand) == {"direction_pitch_mrad": 1.0, "plane_spacing_nm": 1.2}


def test_a_search_without_success_says_what_to_change(rumpled):
    with pytest.raises(SimulationError, match=r"slice_depth_nm: auto ended with .*accepted: 1\.0e-09; give a larger"):
        search_slices(rumpled, replace(AUTO, grid_px=[20, 20], tolerance=1e-9, thickness_max_nm=4.0))
