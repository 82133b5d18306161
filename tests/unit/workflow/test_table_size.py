"""Size and time of a rocking table against the simulation's own rules and against measured runs."""

import math
from pathlib import Path

import pytest

from pacbed.config.plan import plan
from pacbed.config.system import load_config
from pacbed.crystal.electron import wavelength_a as exact_wavelength_a
from pacbed.simulation.table.directions import starting_pitch_mrad
from pacbed.workflow.table_size import (
    PHONON_SECONDS_PER_PIXEL,
    SECONDS_PER_PIXEL,
    beams,
    block_count,
    core_seconds,
    directions,
    grid_px,
    has_displaced_atoms,
    table_mb,
    table_seconds,
    wavelength_a,
)

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("energy_kev", [60, 80, 200, 300])
def test_wavelength_is_that_of_the_simulation(make_system, energy_kev):
    system = make_system(beam={"energy_kev": energy_kev})
    assert wavelength_a(system) == pytest.approx(exact_wavelength_a(energy_kev * 1e3), rel=1e-4)


def test_directions_follow_the_automatic_pitch_of_the_simulation(make_system):
    pitch, system = starting_pitch_mrad(200e3, 100), make_system()
    expected = 0.25 * math.pi * ((plan(system).cone_mrad + 2 * pitch) / pitch) ** 2
    assert directions(system) == pytest.approx(expected, rel=1e-3)


def test_directions_grow_with_the_area_of_the_cone_and_fall_with_the_square_of_the_pitch(make_system):
    coarse, fine = (make_system(simulation={"direction_pitch_mrad": pitch}) for pitch in (0.04, 0.02))
    assert directions(fine) == pytest.approx(4 * directions(coarse), rel=0.02)
    wide = make_system(simulation={"direction_pitch_mrad": 0.02}, grid={"convergence_mrad": [13, 37]})
    assert directions(wide) == pytest.approx((44 / 22) ** 2 * directions(fine), rel=0.02)


def test_beams_are_the_reciprocal_lattice_points_in_the_field(make_system):
    """Counted one by one on the square net of a cubic cell with an edge of 3.905 Å."""
    system = make_system()
    radius = plan(system).field_mrad * 1e-3 / exact_wavelength_a(200e3) * 3.905
    reach = range(-math.ceil(radius), math.ceil(radius) + 1)
    counted = sum(h * h + k * k <= radius**2 for h in reach for k in reach)
    assert beams(system) == pytest.approx(counted, rel=0.1)


@pytest.mark.parametrize(
    ("name", "pitch_mrad", "seconds"),
    [
        # Measured on one core with the pitch that the structure stage found:
        ("rutile_80kv", 0.325, 78),  # 40 x 40 pixels, 11,594 directions, 676 slices
        ("srtio3_300kv", 0.202, 68),  # 36 x 36, 14,426, 512
        ("srtio3_200kv", 0.229, 29),  # 36 x 36, 6,222, 512
        ("beryl_300kv", 0.352, 85),  # 56 x 56, 4,399, 870
    ],
)
def test_estimated_time_of_a_table_is_right_within_a_factor(name, pitch_mrad, seconds):
    system = load_config([ROOT / "config" / f"{name}.yaml"]).systems[name]
    simulation = system.simulation.model_copy(update={"direction_pitch_mrad": pitch_mrad})
    assert seconds / 1.5 < core_seconds(system.model_copy(update={"simulation": simulation})) < 4 * seconds


def test_the_grid_asked_for_is_taken_and_the_automatic_one_follows_the_angles(make_system):
    assert grid_px(make_system(simulation={"grid_px": [40, 64]})) == (40, 64)
    narrow, wide = (grid_px(make_system(grid={"convergence_mrad": [alpha]})) for alpha in (15, 60))
    assert narrow[0] == narrow[1] < wide[0]


def test_time_is_in_proportion_to_slices_and_pixels(make_system):
    base = {"grid_px": [40, 40], "slice_depth_nm": 0.2, "direction_pitch_mrad": 0.3}
    seconds = core_seconds(make_system(simulation=base))
    assert core_seconds(make_system(simulation={**base, "slice_depth_nm": 0.1})) == pytest.approx(2 * seconds)
    assert core_seconds(make_system(simulation={**base, "grid_px": [40, 80]})) == pytest.approx(2 * seconds)


def test_thicker_crystals_make_larger_tables(make_system):
    thin, thick = (make_system(grid={"thickness_nm": {"stop": stop}}) for stop in (50, 100))
    assert table_mb(thick) > 4 * table_mb(thin)


def test_planes_twice_as_close_make_a_table_twice_as_large(make_system):
    usual, close = (make_system(simulation={"plane_spacing_nm": spacing}) for spacing in (1.0, 0.5))
    assert table_mb(close) == pytest.approx(2 * table_mb(usual), rel=0.02)


def test_displaced_atoms_take_a_supercell_for_every_direction(make_system):
    phonons = {"cells": 3, "configurations": 2}
    still = make_system(simulation={"phonons": phonons})
    displaced = make_system(simulation={"phonons": phonons}, crystal={"thermal_model": "frozen_phonons"})
    assert (has_displaced_atoms(still), has_displaced_atoms(displaced)) == (False, True)
    waves = 18 * PHONON_SECONDS_PER_PIXEL / SECONDS_PER_PIXEL
    assert table_seconds(displaced) == pytest.approx(waves * table_seconds(still))


def test_automatic_blocks_follow_the_time_target(make_system):
    seconds = table_seconds(make_system())
    for minutes in (0.05, 0.1, 0.2):
        count = block_count(make_system(simulation={"blocks": "auto", "block_minutes": minutes}))
        assert 0.5 < seconds / count / (60 * minutes) <= 1
    assert block_count(make_system(simulation={"blocks": "auto", "block_minutes": 1000.0})) == 4


def test_automatic_blocks_hold_a_batch_each_and_are_not_without_number(make_system):
    hurried = {"blocks": "auto", "block_minutes": 1e-6}
    few = make_system(simulation={**hurried, "batch": 500})
    assert block_count(few) == int(directions(few) / 500)
    assert block_count(make_system(simulation={**hurried, "batch": 1, "direction_pitch_mrad": 0.02})) == 10_000


def test_blocks_that_are_asked_for_are_made(make_system):
    assert block_count(make_system(simulation={"blocks": 7})) == 7


def test_gpu_takes_less_time_and_fewer_blocks(make_system):
    settings = {"blocks": "auto", "block_minutes": 0.05}
    on_cpu, on_gpu = (make_system(simulation={**settings, "device": device}) for device in ("cpu", "gpu"))
    assert core_seconds(on_gpu) == core_seconds(on_cpu)
    assert table_seconds(on_gpu) < table_seconds(on_cpu)
    assert block_count(on_gpu) < block_count(on_cpu)
