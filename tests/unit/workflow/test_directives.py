"""What rules get: plain values, paths and amounts for the system of their wildcards."""

from types import SimpleNamespace

import pytest

from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig
from pacbed.workflow import directives, needs


class Wildcards(SimpleNamespace):
    """Behaves as Snakemake's wildcards do where the functions use them."""

    def items(self):
        return vars(self).items()


@pytest.fixture
def systems():
    def system(energy_kev):
        return SystemConfig.model_validate(
            {
                "crystal": {"cif": "structures/srtio3.cif", "zone_axis": [0, 0, 1]},
                "beam": {"energy_kev": energy_kev},
                "grid": {
                    "thickness_nm": {"start": 1, "stop": 3, "step": 1},
                    "convergence_mrad": [13, 15],
                    "mistilt_mrad": [0, 2],
                },
                "simulation": {"blocks": 3},
                "training": {"epochs": {"scale": 1, "thickness": 2, "mistilt": 3}},
                "patterns": {"film": {"path": "a/film.tif", "convergence_mrad": 13.6}},
                "datasets": {"scan": {"path": "scan.hdf5"}},
            }
        )

    return {"low": system(80), "high": system(300)}


def test_the_stack_waits_for_blocks_of_the_scan_engine_only_where_it_is_chosen(systems):
    scan = {"engine": "scan", "scan": {"blocks": 2}}
    systems["high"] = SystemConfig.model_validate({**systems["high"].model_dump(), "simulation": scan})
    paths = directives.scan_blocks(systems, "{system}/scan/{block}")
    assert paths(Wildcards(system="low")) == []
    assert paths(Wildcards(system="high")) == ["high/scan/0", "high/scan/1"]


def test_files_of_networks_are_asked_for_where_networks_are_trained(systems):
    systems["high"] = SystemConfig.model_validate({**systems["high"].model_dump(), "training": {"recipe": "none"}})
    files = directives.networks(systems, "{system}/{task}.onnx")
    assert files(Wildcards(system="low")) == [f"low/{task}.onnx" for task in ("scale", "thickness", "mistilt")]
    assert directives.networks(systems, "{system}/parity.json")(Wildcards(system="low")) == ["low/parity.json"]
    assert files(Wildcards(system="high")) == []


def test_training_waits_for_the_files_it_begins_with(systems):
    def begun_with(**training):
        system = SystemConfig.model_validate({**systems["high"].model_dump(), "training": training})
        return directives.begun_with({"high": system})(Wildcards(system="high"))

    assert begun_with() == []
    assert begun_with(recipe="paper", weights="w/imagenet.h5") == ["w/imagenet.h5"]
    assert begun_with(start_from="pretrained/si110_200kv.pacbed") == ["pretrained/si110_200kv.pacbed"]
    taken = begun_with(start_from="results/low/models")
    assert taken == [
        f"results/low/models/{task}.{end}" for task in ("scale", "thickness", "mistilt") for end in ("keras", "json")
    ]


def test_files_that_are_named_are_waited_for(systems):
    plain = systems["low"].model_dump()
    plain["patterns"]["film"]["vacuum"] = "data/beam.tif"
    named = {"low": SystemConfig.model_validate(plain)}
    film = Wildcards(system="low", name="film")
    assert directives.given(named, "patterns.{name}.vacuum")(film) == ["data/beam.tif"]
    assert directives.given(named, "patterns.{name}.mask")(film) == []


def test_setting_reads_the_system_of_the_wildcards(systems):
    energy = directives.setting(systems, "beam.energy_kev")
    assert energy(Wildcards(system="low")) == 80
    assert energy(Wildcards(system="high")) == 300


def test_setting_fills_wildcards_into_the_key(systems):
    assert directives.setting(systems, "training.epochs.{task}")(Wildcards(system="low", task="mistilt")) == 3
    assert directives.setting(systems, "patterns.{name}.convergence_mrad")(Wildcards(system="low", name="film")) == 13.6


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("grid.thickness_nm", [1.0, 2.0, 3.0]),
        ("grid.convergence_mrad", [13.0, 15.0]),
        ("grid.azimuth_deg", "auto"),
        ("crystal.cif", "structures/srtio3.cif"),
        ("crystal.zone_axis", [0, 0, 1]),
        ("patterns.film.pixel_mrad", None),
        ("training.epochs", {"scale": 1, "thickness": 2, "mistilt": 3}),
    ],
)
def test_settings_are_plain_values(systems, key, expected):
    value = directives.setting(systems, key)(Wildcards(system="low"))
    assert value == expected
    assert type(value) is type(expected)


def test_settings_join_names_and_values(systems):
    joined = directives.settings(
        energy_kev=directives.setting(systems, "beam.energy_kev"),
        cone_mrad=directives.planned(systems, "cone_mrad"),
        kept=80,
    )
    cone = plan(systems["low"]).cone_mrad
    assert joined(Wildcards(system="low")) == {"energy_kev": 80, "cone_mrad": cone, "kept": 80}


def test_planned_is_what_the_plan_says(systems):
    assert directives.planned(systems, "cone_mrad")(Wildcards(system="low")) == plan(systems["low"]).cone_mrad


def test_second_attempt_asks_for_twice_as_much(systems):
    amount = directives.needed(systems, "training_minutes")
    wildcards = Wildcards(system="low")
    assert amount(wildcards, 1) == needs.training_minutes(systems["low"])
    assert amount(wildcards, 2) == 2 * amount(wildcards, 1)


def test_one_path_per_block(systems):
    paths = directives.blocks(systems, "results/{system}/blocks/{block}")(Wildcards(system="high"))
    assert paths == [f"results/high/blocks/{block}" for block in range(3)]


@pytest.mark.parametrize(("device", "count"), [("cpu", 0), ("gpu", 1)])
def test_a_block_books_a_gpu_if_it_runs_on_one(systems, device, count):
    low = systems["low"]
    changed = low.model_copy(update={"simulation": low.simulation.model_copy(update={"device": device})})
    assert directives.gpus({**systems, "low": changed})(Wildcards(system="low")) == count
    assert directives.gpus({**systems, "low": changed})(Wildcards(system="high")) == 0


def test_number_of_blocks_is_the_same_for_input_and_parameter(systems):
    automatic = {
        name: system.model_copy(update={"simulation": system.simulation.model_copy(update={"blocks": "auto"})})
        for name, system in systems.items()
    }
    for wildcards in (Wildcards(system="low"), Wildcards(system="high")):
        count = directives.block_count(automatic)(wildcards)
        assert isinstance(count, int)
        assert len(directives.blocks(automatic, "{system}/{block}")(wildcards)) == count


def test_final_targets_name_bundle_predictions_and_maps_of_every_system(systems):
    assert set(directives.final_targets(systems)) == {
        f"results/{name}/{rest.format(name)}"
        for name in ("low", "high")
        for rest in ("bundle/{}.pacbed", "predictions/film.json", "maps/scan.png")
    }


def test_only_displaced_atoms_have_displacements(systems):
    asked = systems["low"].model_dump()
    asked["crystal"]["thermal_model"] = "frozen_phonons"
    value = directives.displacements({"low": SystemConfig.model_validate(asked), "high": systems["high"]})
    assert value(Wildcards(system="low")) == {"cells": 3, "configurations": 1, "pool": 16, "seed": 1}
    assert value(Wildcards(system="high")) is None


def test_frozen_phonons_referee_a_table_on_request(systems):
    asked = systems["low"].model_dump()
    asked["simulation"]["referee"]["phonons"] = True
    both = {"low": SystemConfig.model_validate(asked), "high": systems["high"]}
    more = set(directives.final_targets(both)) - set(directives.final_targets(systems))
    assert more == {"results/low/simulation/referee_b.json"}


def test_a_misspelt_estimate_is_found_when_the_rules_are_read(systems):
    with pytest.raises(AttributeError, match="blok_mb"):
        directives.needed(systems, "blok_mb")


def test_numbers_reach_the_rules_as_they_were_written_or_left_out(systems):
    """Snakemake compares texts: a default of 18 that became 18.0 would make every stack again."""
    azimuth_step = directives.setting(systems, "grid.azimuth_step_deg")(Wildcards(system="low"))
    assert repr(azimuth_step) == "18"
    assert repr(directives.setting(systems, "beam.energy_kev")(Wildcards(system="low"))) == "80.0"


def test_a_range_and_its_values_are_the_same_to_a_rule(systems):
    listed = systems["low"].model_dump()
    listed["grid"]["thickness_nm"] = [1, 2, 3]
    both = {"range": systems["low"], "list": SystemConfig.model_validate(listed)}
    value = directives.setting(both, "grid")
    assert value(Wildcards(system="range")) == value(Wildcards(system="list"))


def test_whole_sections_are_plain_to_the_last_value(systems):
    def plain(value):
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(item) for key, item in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return type(value) in (str, int, float, bool, type(None))

    for section in SystemConfig.model_fields:
        assert plain(directives.setting(systems, section)(Wildcards(system="low"))), section


@pytest.mark.parametrize(
    ("section", "value", "quantity"),
    [
        ("grid", {"convergence_mrad": [13, 20]}, "alpha_max_mrad"),
        ("grid", {"mistilt_mrad": [0, 8]}, "tau_max_mrad"),
        ("grid", {"thickness_nm": [1, 50]}, "thickness_max_nm"),
        ("simulation", {"max_angle_mrad": 40}, "max_angle_mrad"),
    ],
)
def test_what_is_planned_follows_the_configuration(systems, section, value, quantity):
    changed = systems["low"].model_dump()
    changed[section].update(value)
    both = {"before": systems["low"], "after": SystemConfig.model_validate(changed)}
    reach = directives.planned(both, quantity)
    assert reach(Wildcards(system="after")) > reach(Wildcards(system="before"))
