from pathlib import Path

import pytest

from pacbed.config.system import SystemConfig, load_config
from pacbed.crystal.electron import wavelength_a
from pacbed.simulation.table.directions import starting_pitch_mrad
from pacbed.workflow.needs import Needs
from pacbed.workflow.table_size import PHONON_SECONDS_PER_PIXEL, SECONDS_PER_PIXEL

ROOT = Path(__file__).resolve().parents[3]


def needs(energy_kev=200, thickness_nm=100, blocks=4, **training):
    return Needs(
        SystemConfig.model_validate(
            {
                "crystal": {"cif": str(ROOT / "structures" / "srtio3.cif"), "zone_axis": [0, 0, 1]},
                "beam": {"energy_kev": energy_kev},
                "grid": {
                    "thickness_nm": {"start": 1, "stop": thickness_nm, "step": 1},
                    "convergence_mrad": [13, 15],
                    "mistilt_mrad": {"start": 0, "stop": 5, "step": 1},
                },
                "simulation": {"blocks": blocks},
                "training": training,
            }
        )
    )


@pytest.mark.parametrize("energy_kev", [60, 80, 200, 300])
def test_wavelength_is_that_of_the_simulation(energy_kev):
    assert needs(energy_kev).wavelength_a == pytest.approx(wavelength_a(energy_kev * 1e3), rel=1e-4)


def test_directions_follow_the_automatic_pitch_of_the_simulation():
    pitch = starting_pitch_mrad(200e3, 100)
    ours = needs()
    assert ours.directions == pytest.approx(0.25 * 3.1416 * ((ours.plan.cone_mrad + 2 * pitch) / pitch) ** 2, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "pitch_mrad", "core_seconds"),
    [
        # Measured on one core with the pitch that the structure stage found:
        ("rutile_80kv", 0.325, 78),  # 40 x 40 pixels, 11,594 directions, 676 slices
        ("srtio3_300kv", 0.202, 68),  # 36 x 36, 14,426, 512
        ("srtio3_200kv", 0.229, 29),  # 36 x 36, 6,222, 512
        ("beryl_300kv", 0.352, 85),  # 56 x 56, 4,399, 870
    ],
)
def test_estimated_time_of_a_table_is_right_within_a_factor(name, pitch_mrad, core_seconds):
    system = load_config([ROOT / "config" / f"{name}.yaml"]).systems[name]
    ours = Needs(changed(system, direction_pitch_mrad=pitch_mrad))
    assert core_seconds / 1.5 < ours.table_seconds < 4 * core_seconds


def changed(system, **simulation):
    return system.model_copy(update={"simulation": system.simulation.model_copy(update=simulation)})


def test_automatic_blocks_follow_the_time_target():
    system = needs(blocks="auto").system
    seconds = needs().table_seconds
    for minutes in (0.05, 0.1, 0.2):
        count = Needs(changed(system, block_minutes=minutes)).blocks
        assert 0.5 < seconds / count / (60 * minutes) <= 1
    assert Needs(changed(system, block_minutes=1000.0)).blocks == 4


def test_automatic_blocks_hold_a_batch_each_and_are_not_without_number():
    system = needs(blocks="auto").system
    few = Needs(changed(system, block_minutes=1e-6, batch=500))
    assert few.blocks == int(few.directions / 500)
    assert Needs(changed(system, block_minutes=1e-6, batch=1, direction_pitch_mrad=0.01)).blocks == 10_000


def test_blocks_that_are_asked_for_are_made():
    assert needs(blocks=7).blocks == 7


def test_gpu_takes_fewer_blocks():
    system = needs(blocks="auto").system
    on_gpu = Needs(changed(system, device="gpu", block_minutes=0.05))
    assert on_gpu.blocks < Needs(changed(system, block_minutes=0.05)).blocks


def test_more_blocks_make_smaller_and_shorter_jobs():
    few, many = needs(blocks=2), needs(blocks=20)
    assert many.block_mb() < few.block_mb()
    assert many.block_minutes() < few.block_minutes()


def test_thicker_crystals_make_larger_tables():
    assert needs(thickness_nm=100).table_mb() > 4 * needs(thickness_nm=50).table_mb()


@pytest.mark.parametrize(("name", "measured_mb"), [("rutile_80kv", 1870), ("srtio3_300kv", 3550)])
def test_memory_booked_for_the_stack_is_enough_and_not_far_too_much(name, measured_mb):
    booked = Needs(load_config([ROOT / "config" / f"{name}.yaml"]).systems[name]).assembly_mb()
    assert 1.2 * measured_mb < booked < 3 * measured_mb


@pytest.mark.parametrize(("name", "measured_mb"), [("rutile_80kv", 920), ("srtio3_300kv", 2700)])
def test_memory_booked_for_joining_the_blocks_is_enough_and_not_far_too_much(name, measured_mb):
    booked = Needs(load_config([ROOT / "config" / f"{name}.yaml"]).systems[name]).gather_mb()
    assert 1.2 * measured_mb < booked < 3 * measured_mb


def test_the_scan_engine_takes_longer_with_phonons_and_finer_samples_and_less_in_more_blocks():
    def scan(thermal_model="none", **changes):
        data = needs().system.model_dump()
        data["crystal"]["thermal_model"] = thermal_model
        data["simulation"]["scan"].update(changes)
        return Needs(SystemConfig.model_validate(data))

    assert scan("frozen_phonons", configurations=3).scan_minutes() > 5 * scan().scan_minutes()
    assert scan(samples_per_pixel=4).scan_minutes() > 3 * scan().scan_minutes()
    assert scan(blocks=40).scan_minutes() < scan().scan_minutes() / 5
    assert scan(workers=8).scan_mb() > scan().scan_mb()


def test_training_on_more_and_larger_patterns_takes_more():
    small, large = needs(), needs(recipe="paper", samples=100_000)
    assert large.training_mb() > small.training_mb()
    assert large.training_minutes("scale") > 10 * small.training_minutes("scale")


def test_displaced_atoms_take_a_supercell_for_every_direction():
    system = needs().system.model_dump()
    system["crystal"]["thermal_model"] = "frozen_phonons"
    system["simulation"]["phonons"] = {"cells": 3, "configurations": 2}
    theirs = Needs(SystemConfig.model_validate(system))
    waves = 18 * PHONON_SECONDS_PER_PIXEL / SECONDS_PER_PIXEL
    assert theirs.table_seconds == pytest.approx(waves * needs().table_seconds)
    assert theirs.block_minutes() > needs().block_minutes()
    assert theirs.block_mb() > needs().block_mb()
    assert theirs.phonons_minutes() > needs().phonons_minutes()


def test_what_is_booked_for_packing_a_bundle_is_enough_and_not_far_too_much():
    """Measured with the table of rutile: 1,588 MB and 113 s of one core."""
    booked = Needs(load_config([ROOT / "config" / "rutile_80kv.yaml"]).systems["rutile_80kv"])
    assert 1.2 * 1588 < booked.pack_mb() < 3 * 1588
    assert 2 * 113 / 60 < booked.pack_minutes() < 15


def test_a_finer_pitch_makes_the_thickness_budget_dearer():
    def asked(coarser):
        system = needs().system
        budget = system.evaluation.model_error.model_copy(update={"coarser_pitch": coarser})
        evaluation = system.evaluation.model_copy(update={"model_error": budget})
        return Needs(system.model_copy(update={"evaluation": evaluation}))

    assert asked(1.0).model_error_mb() > asked(3.0).model_error_mb()
    assert asked(1.0).model_error_minutes() > 2 * asked(3.0).model_error_minutes()


def test_every_estimate_is_a_positive_integer_below_a_workstation_for_the_demo():
    ours = needs()
    memory = [
        ours.structure_mb,
        ours.block_mb,
        ours.gather_mb,
        ours.reading_mb,
        ours.referee_mb,
        ours.training_mb,
        ours.stack_mb,
        ours.scan_mb,
    ]
    memory += [ours.model_error_mb, ours.model_error_minutes, ours.pack_mb, ours.pack_minutes]
    memory.append(ours.phonons_mb)
    for estimate in memory:
        assert isinstance(estimate(), int)
        assert 0 < estimate() < 16_000
