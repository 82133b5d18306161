"""The grid found is the smallest that carries the waves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif
from pacbed.crystal.electron import wavelength_a
from pacbed.crystal.orientation import orient
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.plane_wave import below_band_limit, grid_indices
from pacbed.simulation.structure.grid_search import (
    GRID_SIZES,
    MEAN_LOSS,
    WORST_LOSS,
    band_limit_loss,
    carried_mrad,
    measure_grid,
    refuse_small_grid,
)
from pacbed.simulation.structure.settings import GridReach
from pacbed.simulation.structure.slicing import Slicing

STRUCTURES = Path(__file__).parents[4] / "structures"
REACH = GridReach(thickness_max_nm=40.0, cone_mrad=14.0, field_mrad=25.0, propagator="exact")


@pytest.fixture(scope="module")
def slicing():
    oriented = orient(read_cif(STRUCTURES / "srtio3.cif"), (0, 0, 1))
    return Slicing(oriented, (0, 0, 1), 200e3, 2, "debye_waller", "lobato")


@pytest.fixture(scope="module")
def found(slicing):
    return measure_grid(slicing, REACH)


def test_the_grid_carries_the_angles_and_keeps_the_beam(found):
    assert carried_mrad(found.slices) > max(REACH.cone_mrad, REACH.field_mrad)
    assert 0 < found.loss.mean < found.loss.worst
    assert found.loss.mean <= MEAN_LOSS
    assert found.loss.worst <= WORST_LOSS
    assert found.slices.grid[0] == found.slices.grid[1]


def test_one_size_smaller_loses_too_much(slicing, found):
    smaller = GRID_SIZES[GRID_SIZES.index(found.slices.grid[0]) - 1]
    loss = band_limit_loss(slicing.on_grid((smaller, smaller)), REACH)
    assert loss.mean > MEAN_LOSS or loss.worst > WORST_LOSS


def test_the_loss_grows_with_thickness(found):
    thin = band_limit_loss(found.slices, GridReach(4.0, 14.0, 25.0, "exact"))
    assert 0 < thin.mean < found.loss.mean


def test_a_wider_field_needs_a_larger_grid(slicing, found):
    wide = measure_grid(slicing, GridReach(1.0, 14.0, 120.0, "exact"))
    assert carried_mrad(wide.slices) > 120.0
    assert wide.slices.grid > found.slices.grid


def test_an_oblong_cell_is_sampled_alike_along_both_edges():
    cell = np.diag([4.0, 9.0, 4.0])
    crystal = Crystal(cell, ["O"], np.zeros((1, 3)), np.ones(1), np.array([0.01 * np.eye(3)]), "O", "by hand")
    grid = measure_grid(
        Slicing(crystal, (0, 0, 1), 200e3, 2, "debye_waller", "lobato"), GridReach(2.0, 5.0, 8.0, "exact")
    ).slices.grid
    assert all(size in GRID_SIZES for size in grid)
    assert grid[1] / grid[0] == pytest.approx(9 / 4, rel=0.1)
    assert grid[1] / 9.0 >= grid[0] / 4.0  # rounded up


def test_the_angle_carried_is_that_of_the_last_frequency_below_nyquist(slicing):
    slices = slicing.on_grid((32, 32))
    spacing_a = slices.cell_a[0, 0] / 32
    nyquist_mrad = 1e3 * wavelength_a(200e3) / (2 * spacing_a)
    assert 0.9 * nyquist_mrad < carried_mrad(slices) < nyquist_mrad


@pytest.mark.parametrize("reach", [GridReach(1.0, 100.0, 5.0, "exact"), GridReach(1.0, 5.0, 100.0, "exact")])
def test_a_grid_that_is_too_small_is_refused_with_what_it_carries(slicing, reach):
    slices = slicing.on_grid((32, 32))
    with pytest.raises(SimulationError, match=r"grid_px: got \[32, 32\], which carries \d\d\.\d mrad, accepted: auto"):
        refuse_small_grid(slices, reach)
    refuse_small_grid(slices, GridReach(1.0, 50.0, 60.0, "exact"))


def test_a_cell_too_oblong_for_any_grid_is_refused():
    cell = np.diag([1.0, 200.0, 4.0])
    crystal = Crystal(cell, ["O"], np.zeros((1, 3)), np.ones(1), np.array([0.01 * np.eye(3)]), "O", "by hand")
    slicing = Slicing(crystal, (0, 0, 1), 200e3, 2, "debye_waller", "lobato")
    with pytest.raises(SimulationError, match=r"grid_px: no grid up to \d+ suits a cell of \[1.0, 200.0\]"):
        measure_grid(slicing, REACH)


def test_sizes_have_small_prime_factors_only():
    assert {16, 36, 42, 70, 512} <= set(GRID_SIZES)
    assert not {22, 26, 46, 82, 106} & set(GRID_SIZES)


def test_a_hexagonal_grid_keeps_the_threefold_axis():
    """The frequencies kept are those of a circle: a turn by 60 degrees maps them onto each other."""
    cell = np.array([[3.2, 0, 0], [-1.6, 1.6 * 3**0.5, 0], [0, 0, 5.0]])
    crystal = Crystal(cell, ["Ga"], np.zeros((1, 3)), np.ones(1), np.array([0.005 * np.eye(3)]), "Ga", "by hand")
    slices = Slicing(crystal, (0, 0, 1), 300e3, 3, "debye_waller", "lobato").on_grid((24, 24))
    kept = {tuple(pair) for pair in grid_indices(slices)[below_band_limit(slices)].astype(int)}
    assert len(kept) > 300
    turned = {(h - k, h) for h, k in kept}, {(-k, h + k) for h, k in kept}
    assert kept in turned
