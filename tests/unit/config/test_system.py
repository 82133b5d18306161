"""The configuration: what is accepted, what is refused and in which words, merging, schema, shipped files."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pacbed.config.__main__ import main
from pacbed.config.system import SystemConfig, config_schema, load_config, validate_config
from pacbed.config.values import Range
from pacbed.errors import ConfigError

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "config").glob("*.yaml"))
MINIMAL: dict[str, Any] = {
    "crystal": {"cif": "structures/srtio3.cif", "zone_axis": [0, 0, 1]},
    "beam": {"energy_kev": 200},
    "grid": {
        "thickness_nm": {"start": 1, "stop": 100, "step": 1},
        "convergence_mrad": [13, 13.6, 14.5],
        "mistilt_mrad": {"start": 0, "stop": 5, "step": 1},
    },
}


def changed(path: str, value: object, base: dict[str, Any] = MINIMAL) -> dict[str, Any]:
    """A copy of a system in which the value at a dotted path is another."""
    system = copy.deepcopy(base)
    *parents, last = path.split(".")
    node = system
    for parent in parents:
        node = node.setdefault(parent, {})
    node[last] = value
    return system


def test_a_scan_has_one_surface() -> None:
    """The scan engine cuts one slab; the mean over terminations is the rocking table's."""
    average = changed("crystal.termination", "average")
    assert valid(average).crystal.termination == "average"
    both = changed("simulation.engine", "scan", average)
    with pytest.raises(ConfigError, match=r"crystal\.termination: got average, accepted: top with simulation\.engine"):
        valid(both)
    assert valid(changed("simulation.engine", "scan")).crystal.termination == "top"


def valid(system: dict[str, Any]) -> SystemConfig:
    return validate_config({"systems": {"demo": system}}).systems["demo"]


def test_what_a_cif_leaves_open() -> None:
    crystal = valid(MINIMAL).crystal
    assert (crystal.block, crystal.accept_contradictions, crystal.displacements) == (None, (), {})
    assert valid(changed("crystal.displacements", {"Ti": 5.6e-5, "O1": 9e-5})).crystal.displacements["Ti"] == 5.6e-5
    assert valid(changed("crystal.accept_contradictions", ["volume"])).crystal.accept_contradictions == ("volume",)
    for key, value in (("displacements", {"Ti": 0.0}), ("displacements", {"Ti": 0.56}), ("block", 3)):
        with pytest.raises(ConfigError, match=rf"crystal\.{key}.*got"):
            valid(changed(f"crystal.{key}", value))
    with pytest.raises(ConfigError, match=r"crystal\.accept_contradictions.*got"):
        valid(changed("crystal.accept_contradictions", ["vol"]))


def refusal(system: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        valid(system)
    return str(caught.value)


def test_defaults_of_a_minimal_system() -> None:
    system = valid(MINIMAL)
    assert system.crystal.thermal_model == "thermal_mean"
    assert system.simulation.grid_px == system.simulation.max_angle_mrad == system.grid.azimuth_deg == "auto"
    assert system.training.pixels == 64
    assert system.simulation.referee.patterns == 3
    assert system.schema_version == 1


def test_the_paper_recipe_brings_its_own_input_size() -> None:
    assert valid(changed("training.recipe", "paper")).training.pixels == 200
    asked = changed("training.pixels", 128, changed("training.recipe", "paper"))
    assert valid(asked).training.pixels == 128
    plain, paper = valid(MINIMAL).training, valid(changed("training.recipe", "paper")).training
    assert (plain.pixels, plain.scale_range, plain.learning_rate) == (64, (0.9, 1.7), 2e-3)
    assert (paper.scale_range, paper.learning_rate, paper.batch_size) == ((0.7, 1.4), 1e-3, 8)
    assert paper.epochs.model_dump() == {"scale": 5, "thickness": 40, "mistilt": 20}
    some = valid(changed("training.epochs", {"thickness": 3}, changed("training.recipe", "paper"))).training
    assert some.epochs.model_dump() == {"scale": 5, "thickness": 3, "mistilt": 20}


def test_a_training_begins_with_one_thing() -> None:
    paper = changed("training.recipe", "paper")
    assert valid(changed("training.weights", "imagenet.h5", paper)).training.weights == Path("imagenet.h5")
    assert valid(changed("training.start_from", "results/v1.2", paper)).training.start_from == Path("results/v1.2")
    both = changed("training.start_from", "models", changed("training.weights", "imagenet.h5", paper))
    for system in (both, changed("training.weights", "imagenet.h5")):
        assert "training.weights: got imagenet.h5, accepted: a file with recipe: paper" in refusal(system)
    assert valid(changed("training.start_from", "a/b.pacbed")).training.start_from == Path("a/b.pacbed")
    of_the_paper = refusal(changed("training.start_from", "a/b.pacbed", paper))
    assert "training.start_from: got a/b.pacbed, accepted: a folder such as" in of_the_paper


def test_ranges_include_both_ends_and_lists_stay_as_they_are() -> None:
    grid = valid(MINIMAL).grid
    assert grid.thickness_nm.values() == [float(t) for t in range(1, 101)]
    assert grid.convergence_mrad.values() == [13, 13.6, 14.5]


@given(st.integers(-50, 50), st.integers(0, 400), st.sampled_from([0.1, 0.25, 0.3, 0.5, 1, 2.5]))
def test_a_range_has_no_rounding_dust(start: int, count: int, step: float) -> None:
    values = Range(start=start, stop=start + count * step, step=step).values()
    assert len(values) == count + 1
    assert values[-1] == pytest.approx(start + count * step, abs=1e-9)
    assert all(value == round(value, 6) for value in values)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("beam.energy_kev", -3, "beam.energy_kev: got -3, accepted: a number from 20 to 1000 [keV]"),
        ("beam.energy_kev", "high", "beam.energy_kev: got 'high', accepted: a number from 20 to 1000 [keV]"),
        ("beam.energy_kev", float("nan"), "beam.energy_kev: got nan, accepted: a number from 20 to 1000 [keV]"),
        ("beam.energy_kV", 200, "beam.energy_kV: unknown key (got 200), accepted: energy_kev"),
        ("beam", None, "beam: got None, accepted: {energy_kev}"),
        (
            "crystal.zone_axis",
            [0, 0, 0],
            "crystal.zone_axis: got [0, 0, 0], accepted: three integers, or the four of "
            "a hexagonal cell, that are not all 0",
        ),
        (
            "crystal.zone_axis",
            [1, 1, 0, 0],
            "crystal.zone_axis: got [1, 1, 0, 0], accepted: four integers [u, v, t, w]",
        ),
        ("crystal.zone_axis", [1, 1, -2, 0.5], "crystal.zone_axis.3: got 0.5, accepted: an integer from -20 to 20"),
        (
            "crystal.zone_axis",
            [0, 1],
            "crystal.zone_axis: got [0, 1], accepted: a list of 3, each an integer from -20 to 20",
        ),
        ("crystal.cif", 5, "crystal.cif: got 5, accepted: a path"),
        ("crystal.thermal_model", "x", "got 'x', accepted: thermal_mean or debye_waller_absorptive or "),
        ("grid.thickness_nm", {"start": 9, "stop": 1, "step": 1}, "got start 9, stop 1, step 1, accepted: stop at or"),
        ("grid.thickness_nm.step", 0.7, "grid.thickness_nm.step: got 0.7, accepted: a step that leads from 1 exactly"),
        ("grid.thickness_nm.step", 1e-9, "accepted: stop at or above start, at most 10000 values"),
        (
            "grid.thickness_nm",
            {"start": 1, "stop": 5},
            "grid.thickness_nm.step: missing, accepted: a number above 0 [nm]",
        ),
        ("grid.thickness_nm", [0, 1], "grid.thickness_nm: got 0 to 1, accepted: values from 0.1 to 1000 [nm]"),
        ("grid.thickness_nm", [], "grid.thickness_nm: got [], accepted:"),
        ("grid.mistilt_mrad", [-1, 1], "grid.mistilt_mrad: got -1 to 1, accepted: values from 0 to 100 [mrad]"),
        ("grid.mistilt_mrad", [1, 1], "got [1.0, 1.0], accepted: a strictly ascending list of numbers"),
        ("grid.thickness_nm", [1, float("nan")], "grid.thickness_nm.1: got nan, accepted: a number [nm]"),
        ("grid.thickness_nm.stop", float("inf"), "grid.thickness_nm.stop: got inf, accepted: a number [nm]"),
        ("grid.thickness_nm.step", 0, "grid.thickness_nm.step: got 0, accepted: a number above 0 [nm]"),
        ("grid.thickness_nm.step", -1, "grid.thickness_nm.step: got -1, accepted: a number above 0 [nm]"),
        ("grid.thickness_nm", [1, 1e6], "grid.thickness_nm: got 1 to 1e+06, accepted: values from 0.1 to 1000 [nm]"),
        ("grid.thickness_nm", [-2, 5], "grid.thickness_nm: got -2 to 5, accepted: values from 0.1 to 1000 [nm]"),
        ("grid.convergence_mrad", [0, 15], "grid.convergence_mrad: got 0 to 15, accepted: values from 0.5 to 100"),
        ("grid.azimuth_deg", [0, 1e7], "grid.azimuth_deg: got 0 to 1e+07, accepted: values from -360 to 360 [deg]"),
        (
            "grid.mistilt_mrad",
            {"start": 0, "stop": 10, "step": 0.002},
            "grid: got 3e+07 patterns, accepted: at most 10,000,000 patterns",
        ),
        (
            "simulation.slice_depth_nm",
            1e-9,
            "simulation.slice_depth_nm: got 1e-09, accepted: auto or a number from 0.005",
        ),
        (
            "simulation.slice_depth_nm",
            -0.2,
            "simulation.slice_depth_nm: got -0.2, accepted: auto or a number from 0.005",
        ),
        ("simulation.direction_pitch_mrad", 0, "got 0, accepted: auto or a number from 0.01 to 5 [mrad]"),
        ("simulation.plane_spacing_nm", 0, "got 0, accepted: auto or a number from 0.1 to 5 [nm]"),
        ("simulation.max_angle_mrad", 1e5, "got 100000.0, accepted: auto or a number above 0 up to 300 [mrad]"),
        ("simulation.blocks", 0, "simulation.blocks: got 0, accepted: auto or an integer from 1 to 10000"),
        ("simulation.block_minutes", 0, "simulation.block_minutes: got 0, accepted: a number above 0 up to 1440"),
        ("simulation.device", "tpu", "simulation.device: got 'tpu', accepted: cpu or gpu"),
        ("grid.convergence_mrad", "auto", "got 'auto', accepted: {start, stop, step} or a list, each a number [mrad]"),
        ("grid.azimuth_deg", "all", "accepted: {start, stop, step} or a list, each a number [deg] or auto"),
        ("simulation.max_angle_mrad", 10, "got 10.0, accepted: auto or at least the largest convergence angle, 14.5"),
        ("simulation.grid_px", [64], "accepted: auto or a list of 2, each an integer from 16 to 4096 [pixels]"),
        ("simulation.referee.full_thickness", "maybe", "got 'maybe', accepted: true or false"),
        ("simulation.engine", "bloch", "simulation.engine: got 'bloch', accepted: plane_wave or scan"),
        ("simulation.scan.cells", 0, "simulation.scan.cells: got 0, accepted: auto or an integer from 1 to 64"),
        ("simulation.scan.scheduler", "slurm", "got slurm, accepted: threads or processes, or the address of a dask"),
        ("simulation.scan.scheduler", "tcp://node7", "got tcp://node7, accepted: threads or processes, or the address"),
        ("training.epochs", 5, "training.epochs: got 5, accepted: {scale, thickness, mistilt}"),
        ("training.scale_range", [1.1, 2], "accepted: [lowest, highest] with 0.2 <= lowest < 1 < highest <= 5"),
        ("evaluation.noise_levels", [0, 3], "evaluation.noise_levels.1: got 3, accepted: a number from 0 to 1"),
        (
            "patterns",
            {"a b": {"path": "x"}},
            "patterns.a b: got this name, accepted: a name of letters, digits, _ and -",
        ),
        ("patterns", {"a": {}}, "patterns.a.path: missing, accepted: a path"),
        (
            "patterns",
            {"a": {"path": "x", "pixel_mrad": 0}},
            "patterns.a.pixel_mrad: got 0, accepted: a number above 0 up",
        ),
        ("datasets", {"a": {"path": "x", "window": 0}}, "datasets.a.window: got 0, accepted: an integer from 1 to 256"),
        (
            "datasets",
            {"a": {"path": "x", "scan_shape": [0, 4]}},
            "datasets.a.scan_shape.0: got 0, accepted: an integer",
        ),
        ("datasets", {"a": {"path": "x", "scan_shape": [4]}}, "datasets.a.scan_shape"),
        ("patterns", {"a": {"path": "x", "frame": [-1]}}, "patterns.a.frame.0: got -1, accepted: an integer from 0"),
        ("patterns", {"a": {"path": "x", "frame": []}}, "patterns.a.frame"),
        ("schema_version", 2, "schema_version: got 2, accepted: 1"),
    ],
)
def test_a_bad_value_is_refused_with_key_value_and_accepted(path: str, value: object, message: str) -> None:
    text = refusal(changed(path, value))
    assert text.startswith("systems.demo.")
    assert message in text
    assert "\n" not in text  # one problem, one line


def test_a_pitch_without_measure_is_refused_with_the_least_one() -> None:
    wide = changed("grid.mistilt_mrad", [0, 60], changed("simulation.direction_pitch_mrad", 0.02))
    assert refusal(wide) == (
        "systems.demo.simulation.direction_pitch_mrad: got 0.02, which makes 4.4e+07 directions, accepted: auto or at "
        "least 0.03 [mrad], which makes 20,000,000"
    )
    valid(changed("simulation.direction_pitch_mrad", 0.031, wide))


@pytest.mark.parametrize("points", [0, -64, 10**9])
def test_a_grid_of_absurd_size_is_refused(points: int) -> None:
    text = refusal(changed("simulation.grid_px", [64, points]))
    assert f"simulation.grid_px.1: got {points}, accepted: an integer from 16 to 4096 [pixels]" in text


def test_several_problems_are_told_at_once() -> None:
    text = refusal(changed("beam.energy_kev", 5, changed("grid.extra", 1)))
    assert sorted(line.split(":")[0] for line in text.splitlines()) == [
        "systems.demo.beam.energy_kev",
        "systems.demo.grid.extra",
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"systems": {}}, "systems: got {}, accepted: a mapping with one entry per name"),
        ({"system": {}}, "system: unknown key (got {}), accepted: systems"),
        ({"systems": {"my sample": MINIMAL}}, "systems.my sample: got this name, accepted: a name of letters"),
        ({"systems": None}, "systems: got None"),
    ],
)
def test_top_level_mistakes(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validate_config(data)
    assert message in str(caught.value)


def test_no_configuration_at_all_lists_the_ready_made_files() -> None:
    with pytest.raises(ConfigError, match="no configuration") as caught:
        validate_config({}, folder=ROOT / "config")
    assert all(file.name in str(caught.value) for file in FILES)


def write(folder: Path, name: str, systems: dict[str, Any]) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({"systems": systems}), encoding="utf-8")
    return file


def test_two_files_make_two_systems_that_share_nothing(tmp_path: Path) -> None:
    first = write(tmp_path, "first", {"first": changed("training.seed", 7)})
    second = write(tmp_path, "second", {"second": changed("beam.energy_kev", 80)})
    both = load_config([first, second]).systems
    assert list(both) == ["first", "second"]
    assert both["first"] == load_config([first]).systems["first"]
    assert both["second"] == load_config([second]).systems["second"]
    assert (both["first"].beam.energy_kev, both["second"].training.seed) == (200, 1)


def test_an_overlay_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    base = write(tmp_path, "base", {"demo": MINIMAL})
    overlay = write(tmp_path, "overlay", {"demo": {"grid": {"thickness_nm": {"stop": 50}, "mistilt_mrad": [0, 2]}}})
    system = load_config([base, overlay]).systems["demo"]
    assert system.grid.thickness_nm.values()[-1] == 50
    assert system.grid.mistilt_mrad.values() == [0, 2]
    assert system.beam == valid(MINIMAL).beam


def test_merging_agrees_with_snakemake(tmp_path: Path) -> None:
    utils = pytest.importorskip("snakemake.utils")
    parts = [{"demo": MINIMAL}, {"demo": {"grid": {"mistilt_mrad": [0, 2]}}, "other": MINIMAL}]
    merged: dict[str, Any] = {}
    for part in parts:
        utils.update_config(merged, {"systems": copy.deepcopy(part)})
    files = [write(tmp_path, str(number), part) for number, part in enumerate(parts)]
    assert load_config(files) == validate_config(merged)


@pytest.mark.parametrize("text", ["- a list", "systems: {demo: [", "just words"])
def test_a_file_that_is_no_configuration_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        load_config([file])
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_config([tmp_path / "absent.yaml"])


def test_a_configuration_cannot_be_changed_after_validation() -> None:
    with pytest.raises(ValueError, match="frozen"):
        valid(MINIMAL).beam.energy_kev = 300


def test_every_key_is_described() -> None:
    assert [
        f"{name}.{key}"
        for name, node in config_schema()["$defs"].items()
        for key, child in node.get("properties", {}).items()
        if "description" not in child and "$ref" not in child  # a section is described by its class
    ] == []


def test_the_schema_file_is_in_step_with_the_models(tmp_path: Path) -> None:
    main(["--write-schema", str(tmp_path / "schema.json")])
    fresh = (tmp_path / "schema.json").read_text(encoding="utf-8")
    assert json.loads(fresh) == config_schema()
    shipped = (ROOT / "config" / "schema.json").read_text(encoding="utf-8")
    assert shipped == fresh, "run: python -m pacbed.config --write-schema config/schema.json"


def test_there_are_files_to_test() -> None:
    assert {file.stem for file in FILES} >= {"demo", "srtio3_300kv", "rutile_80kv", "beryl_300kv", "srtio3_200kv"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_shipped_files_validate_and_help_editors(file: Path) -> None:
    assert file.read_text(encoding="utf-8").splitlines()[0] == "# yaml-language-server: $schema=schema.json"
    (name,) = load_config([file]).systems
    assert name == file.stem
    system = load_config([file]).systems[name]
    assert (ROOT / system.crystal.cif).is_file()


def test_all_shipped_files_load_together() -> None:
    assert set(load_config(FILES).systems) == {file.stem for file in FILES}


@pytest.mark.parametrize("name", ["srtio3_300kv", "rutile_80kv", "beryl_300kv"])
def test_the_papers_grids(name: str) -> None:
    grid = load_config([ROOT / "config" / f"{name}.yaml"]).systems[name].grid
    thicknesses, angles, mistilts = (r.values() for r in (grid.thickness_nm, grid.convergence_mrad, grid.mistilt_mrad))
    azimuths_of_the_paper = 90 / grid.azimuth_step_deg + 1
    assert len(thicknesses) * len(angles) * (1 + (len(mistilts) - 1) * azimuths_of_the_paper) == 128_100
    assert (angles[0], angles[-1]) == ((5, 15) if name == "beryl_300kv" else (15, 25))
