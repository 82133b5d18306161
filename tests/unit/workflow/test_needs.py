"""What jobs book: enough for measured runs, not far too much, and more where there is more to do."""

import inspect
import re
from pathlib import Path

import pytest

from pacbed.config.system import load_config
from pacbed.workflow import needs

ROOT = Path(__file__).resolve().parents[3]
ESTIMATES = {
    name: function
    for name, function in inspect.getmembers(needs, inspect.isfunction)
    if name.endswith(("_mb", "_minutes")) and not name.startswith("_")
}


def estimate(name, system):
    return ESTIMATES[name](system)


def shipped(name):
    return load_config([ROOT / "config" / f"{name}.yaml"]).systems[Path(name).name]


@pytest.mark.parametrize("name", ESTIMATES)
def test_every_estimate_is_a_whole_number_that_a_workstation_has(make_system, name):
    """Of a crystal up to 10 nm thick; times below a day."""
    amount = estimate(name, make_system(grid={"thickness_nm": {"stop": 10}}))
    assert isinstance(amount, int)
    assert 0 < amount < (16_000 if name.endswith("_mb") else 24 * 60)


@pytest.mark.parametrize("name", ESTIMATES)
def test_a_wider_and_deeper_grid_never_needs_less(make_system, name):
    wider = make_system(
        grid={"thickness_nm": {"stop": 200}, "convergence_mrad": [13, 15, 25], "mistilt_mrad": {"stop": 10}},
    )
    small, large = estimate(name, make_system()), estimate(name, wider)
    grows = name not in ("structure_mb", "structure_minutes", "training_minutes")  # of cell and samples alone
    assert large > small if grows else large >= small


def test_rules_ask_for_estimates_that_there_are():
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    asked = set(re.findall(r'needed\("(\w+)"', text))
    assert len(asked) > 20
    assert asked <= set(ESTIMATES)


def test_more_blocks_make_smaller_and_shorter_jobs(make_system):
    few, many = (make_system(simulation={"blocks": blocks}) for blocks in (2, 20))
    assert needs.block_mb(many) < needs.block_mb(few)
    assert needs.block_minutes(many) < needs.block_minutes(few)


@pytest.mark.parametrize(
    ("name", "estimate", "measured_mb"),
    [
        ("rutile_80kv", needs.assembly_mb, 1870),
        ("srtio3_300kv", needs.assembly_mb, 3550),
        ("rutile_80kv", needs.gather_mb, 920),
        ("srtio3_300kv", needs.gather_mb, 2700),
        ("rutile_80kv", needs.pack_mb, 1588),
        # With the two of Snakemake that stand beside a job on a cluster.
        ("rutile_80kv", needs.evaluation_mb, 1841 + 300),
        ("catalogue/au110_200kv", needs.evaluation_mb, 802 + 300),
        ("rutile_80kv", needs.referee_mb, 836 + 300),
        ("catalogue/au110_200kv", needs.referee_mb, 478 + 300),
        ("rutile_80kv", needs.block_mb, 330 + 300),
        ("catalogue/au110_200kv", needs.block_mb, 331 + 300),  # check_convergence
    ],
)
def test_memory_booked_is_enough_and_not_far_too_much(name, estimate, measured_mb):
    assert 1.2 * measured_mb < estimate(shipped(name)) < 3 * measured_mb


def test_time_booked_for_packing_is_enough_and_not_far_too_much():
    """Measured with the table of rutile: 113 s of one core."""
    assert 2 * 113 / 60 < needs.pack_minutes(shipped("rutile_80kv")) < 15


def test_series_are_counted_as_the_stack_makes_them(make_system):
    """Two convergence angles, six mistilts; twenty azimuths of 18 deg, or those that are named."""
    assert needs.series(make_system()) == 2 * 6 * 20
    assert needs.series(make_system(grid={"azimuth_step_deg": 36})) == 2 * 6 * 10
    assert needs.series(make_system(grid={"azimuth_deg": [0, 45, 90]})) == 2 * 6 * 3


def test_a_stack_takes_two_bytes_per_pixel(make_system):
    system = make_system(stack={"pixels": 100}, grid={"azimuth_deg": [0]})
    assert needs.stack_mb(system) == pytest.approx(2 * 6 * 100 * 100**2 * 2 / 1e6, abs=1)


def test_the_scan_engine_takes_longer_with_phonons_and_finer_samples_and_less_in_more_blocks(make_system):
    def scan(thermal_model="none", **changes):
        return make_system(crystal={"thermal_model": thermal_model}, simulation={"scan": changes})

    usual = needs.scan_minutes(scan())
    assert needs.scan_minutes(scan("frozen_phonons", configurations=3)) > 5 * usual
    assert needs.scan_minutes(scan(samples_per_pixel=4)) > 3 * usual
    assert needs.scan_minutes(scan(blocks=40)) < usual / 5
    assert needs.scan_mb(scan(workers=8)) > needs.scan_mb(scan())


def test_training_on_more_and_larger_patterns_takes_more(make_system):
    small, large = make_system(), make_system(training={"recipe": "paper", "samples": 100_000})
    assert needs.training_mb(large) > needs.training_mb(small)
    assert needs.training_minutes(large) > 10 * needs.training_minutes(small)


@pytest.mark.parametrize(("recipe", "passes", "seconds"), [("compact", 39, 1e-3), ("paper", 39, 0.5)])
def test_more_epochs_take_longer(make_system, recipe, passes, seconds):
    """Forty passes instead of one over 5,000 patterns, with the margin for slow machines."""
    few, many = (
        make_system(
            training={"recipe": recipe, "samples": 5000, "epochs": {"scale": 1, "thickness": count, "mistilt": 1}}
        )
        for count in (1, 40)
    )
    more = needs.training_minutes(many) - needs.training_minutes(few)
    assert more == pytest.approx(needs.SAFETY * passes * 5000 * seconds / 60, abs=1)


def test_the_paper_trains_on_no_more_patterns_than_the_stack_has(make_system):
    asked, every = (make_system(training={"recipe": "paper", "samples": count}) for count in (10**5, 10**7))
    assert needs.stack_patterns(every) < 10**5
    assert needs.training_minutes(asked) == needs.training_minutes(every)
    larger = make_system(training={"recipe": "paper", "samples": 10**7, "pixels": 299})
    assert needs.training_mb(larger) > needs.training_mb(every)


def test_compact_networks_are_trained_together(make_system):
    """The longest of them decides, while Xception is trained for each."""
    together, apart = (
        [
            needs.training_minutes(
                make_system(training={"recipe": recipe, "epochs": {"scale": scale, "thickness": 40}})
            )
            for scale in (1, 40)
        ]
        for recipe in ("compact", "paper")
    )
    assert together[0] == together[1]
    assert apart[0] < apart[1]


def test_displaced_atoms_take_more_of_everything(make_system):
    phonons = {"cells": 3, "configurations": 2}
    still = make_system(simulation={"phonons": phonons})
    displaced = make_system(simulation={"phonons": phonons}, crystal={"thermal_model": "frozen_phonons"})
    assert needs.block_minutes(displaced) > needs.block_minutes(still)
    assert needs.block_mb(displaced) > needs.block_mb(still)
    more = make_system(simulation={"phonons": {"cells": 5, "configurations": 2}})
    assert needs.phonons_minutes(more) - 10 > 2 * (needs.phonons_minutes(still) - 10)
    assert needs.phonons_mb(more) > needs.phonons_mb(still)


def test_a_finer_pitch_makes_the_thickness_budget_dearer(make_system):
    fine, coarse = (make_system(evaluation={"model_error": {"coarser_pitch": pitch}}) for pitch in (1.0, 3.0))
    assert needs.model_error_mb(fine) > needs.model_error_mb(coarse)
    assert needs.model_error_minutes(fine) - 5 > 1.5 * (needs.model_error_minutes(coarse) - 5)  # 5 min to spare in both


def test_the_evaluation_takes_the_time_of_its_refinements(make_system):
    few, many = (make_system(evaluation={"patterns": patterns}) for patterns in (10, 1000))
    assert needs.evaluation_minutes(many) - needs.evaluation_minutes(few) > 3 * 990 * 2 / 60
