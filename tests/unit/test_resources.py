from pathlib import Path

import pytest

from pacbed.config import SystemConfig
from pacbed.crystal.electron import wavelength_a
from pacbed.resources import UNKNOWN_CELL_A2, Needs, cell_area_a2
from pacbed.simulation.directions import starting_pitch_mrad

ROOT = Path(__file__).resolve().parents[2]


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


def test_cell_area_is_read_from_the_file():
    assert cell_area_a2(ROOT / "structures" / "srtio3.cif") == pytest.approx(3.905**2, rel=0.01)


def test_cell_area_of_a_missing_file_is_a_large_one():
    assert cell_area_a2(Path("no-such.cif")) == UNKNOWN_CELL_A2


def test_more_blocks_make_smaller_and_shorter_jobs():
    few, many = needs(blocks=2), needs(blocks=20)
    assert many.block_mb() < few.block_mb()
    assert many.block_minutes() < few.block_minutes()


def test_thicker_crystals_make_larger_tables():
    assert needs(thickness_nm=100).table_mb() > 4 * needs(thickness_nm=50).table_mb()


def test_training_on_more_and_larger_patterns_takes_more():
    small, large = needs(), needs(recipe="paper", samples=100_000)
    assert large.training_mb() > small.training_mb()
    assert large.training_minutes("scale") > 10 * small.training_minutes("scale")


def test_a_finer_pitch_makes_the_thickness_budget_dearer():
    def asked(coarser):
        system = needs().system
        budget = system.evaluation.model_error.model_copy(update={"coarser_pitch": coarser})
        evaluation = system.evaluation.model_copy(update={"model_error": budget})
        return Needs(system.model_copy(update={"evaluation": evaluation}))

    assert asked(1.0).model_error_mb() > asked(3.0).model_error_mb()
    assert asked(1.0).model_error_minutes() > 3 * asked(3.0).model_error_minutes()


def test_every_estimate_is_a_positive_integer_below_a_workstation_for_the_demo():
    ours = needs()
    memory = [ours.structure_mb, ours.block_mb, ours.gather_mb, ours.referee_mb, ours.training_mb, ours.stack_mb]
    memory += [ours.model_error_mb, ours.model_error_minutes]
    for estimate in memory:
        assert isinstance(estimate(), int)
        assert 0 < estimate() < 16_000
