"""The whole pipeline from CIF to prediction, and what Snakemake re-runs afterwards."""

import json
import shutil
import zipfile

import numpy as np
import pytest
import yaml

from pacbed.analysis.maps.stored import read_map

pytestmark = pytest.mark.workflow
AFTER_TABLE = {"assemble_stack": 1, "train_network": 1, "export_networks": 1, "evaluate": 1}
PACKED = {"pack_bundle": 1, "predict_pattern": 1, "map_dataset": 1}
NETWORKS = {"train_network": 1, "export_networks": 1, "evaluate": 1, **PACKED}
JUDGED = {"accept_simulation": 1, "model_error": 1, **AFTER_TABLE, **PACKED}
TABLE = {"simulate_rocking_block": 2, "gather_rocking_table": 1, "referee_simulation": 1, **JUDGED}
EVERYTHING = {"orient_structure": 1, "check_convergence": 1, **TABLE}

CHANGES = [
    ({"patterns": {"film": {"convergence_mrad": 13.5}}}, {"predict_pattern": 1}),
    ({"datasets": {"scan": {"window": 1}}}, {"map_dataset": 1}),
    ({"evaluation": {"patterns": 3}}, {"evaluate": 1, **PACKED}),
    ({"evaluation": {"model_error": {"bonding_relative": 0.02}}}, {"model_error": 1, **PACKED}),
    ({"training": {"epochs": {"scale": 2}}}, NETWORKS),
    ({"training": {"noise_max": 0.08}}, NETWORKS),
    ({"stack": {"pixels": 40}}, {**AFTER_TABLE, **PACKED}),
    ({"grid": {"mistilt_mrad": [0, 1, 2]}}, {**AFTER_TABLE, **PACKED}),
    ({"simulation": {"referee": {"seed": 2}}}, {"referee_simulation": 1, **JUDGED}),
    # One new value is the supercell's, the old one is the seed's: as sets, these parameters are those of the last run.
    ({"simulation": {"referee": {"patterns": 4}}}, {"referee_simulation": 1, **JUDGED}),
    # The structure stage measures the automatic grid and pitch, and writes down the pitch that is asked for.
    ({"simulation": {"tolerance": 0.04}}, EVERYTHING),
    ({"simulation": {"blocks": 3}}, {**TABLE, "simulate_rocking_block": 3}),
    ({"simulation": {"direction_pitch_mrad": 0.6}}, EVERYTHING),
    ({"crystal": {"thermal_model": "debye_waller"}}, EVERYTHING),
    ({"beam": {"energy_kev": 300}}, EVERYTHING),
]
BUMPS = [
    ("orient_structure", EVERYTHING),
    ("simulate_rocking_block", TABLE),
    ("gather_rocking_table", {**TABLE, "simulate_rocking_block": 0}),
    ("accept_simulation", JUDGED),
    ("train_network", NETWORKS),
    ("evaluate", {"evaluate": 1, **PACKED}),
    ("model_error", {"model_error": 1, **PACKED}),
    ("pack_bundle", PACKED),
    ("predict_pattern", {"predict_pattern": 1}),
]


def results(workplace):
    return workplace.folder / "results" / "mini"


def test_everything_promised_is_there(finished):
    there = {str(path.relative_to(results(finished))) for path in results(finished).rglob("*")}
    assert there >= {
        *("structure/cell.json", "structure/slices.npz", "structure/structure.png"),
        *("simulation/convergence.json", "simulation/referee.json", "simulation/accepted.json"),
        *("simulation/rocking/done.json", "stack/done.json", "bundle/mini.pacbed"),
        *(f"models/{task}{end}" for task in ("scale", "thickness", "mistilt") for end in (".keras", ".onnx", ".json")),
        *("models/parity.json", "evaluation/errors.json", "evaluation/model_error.json", "evaluation/model_error.png"),
        *("predictions/film.json", "predictions/film.png", "predictions/film.pdf"),
        "predictions/film_match.tif",
    }


def test_training_leaves_no_state_behind(finished):
    assert [path for path in (results(finished) / "models").iterdir() if path.name.startswith(".")] == []


def test_the_budget_is_in_the_bundle_and_leaves_no_state(finished):
    budget = json.loads((results(finished) / "evaluation" / "model_error.json").read_text())
    with zipfile.ZipFile(results(finished) / "bundle" / "mini.pacbed") as bundle:
        stored = json.loads(bundle.read("bundle.json"))["model_error"]
    assert stored["std_nm"] == budget["std_nm"]
    result = json.loads((results(finished) / "predictions" / "film.json").read_text())["thickness_nm"]
    expected = np.interp(result["value"], [0, *stored["thickness_nm"]], [0, *stored["std_nm"]])
    assert result["std_model"] == pytest.approx(expected)
    assert [path for path in (results(finished) / "evaluation").iterdir() if path.name.startswith(".")] == []


def test_prediction_is_a_sound_result(finished):
    result = json.loads((results(finished) / "predictions" / "film.json").read_text())
    assert result["verdict"] in ("ok", "doubtful", "refused")
    assert result["thickness_nm"]["value"] == pytest.approx(6.4, abs=1.0)


@pytest.mark.parametrize("picture", ["predictions/film.png", "maps/scan.png"])
def test_sheet_and_map_are_pictures(finished, picture):
    assert (results(finished) / picture).read_bytes().startswith(b"\x89PNG")


def test_map_has_one_thickness_per_window(finished):
    thickness_nm = read_map(results(finished) / "maps" / "scan").thickness_nm
    assert thickness_nm.shape == (1, 2)
    assert thickness_nm == pytest.approx(np.full((1, 2), 6.4), abs=1.0)


def test_bundle_holds_data_only(finished):
    with zipfile.ZipFile(results(finished) / "bundle" / "mini.pacbed") as bundle:
        names = bundle.namelist()
    assert "bundle.json" in names
    assert not [name for name in names if name.endswith((".pkl", ".keras", ".py"))]


def test_every_log_tells_versions_and_how_it_ended(finished):
    logs = sorted((results(finished) / "logs").rglob("*.log"))
    assert len(logs) == 15
    for log in logs:
        text = log.read_text()
        assert "versions: python" in text, log
        assert "stage_version = " in text, log
        assert "finished after" in text, log


def test_benchmarks_are_json_lines(finished):
    for file in (results(finished) / "benchmarks").rglob("*.jsonl"):
        assert json.loads(file.read_text().splitlines()[0])["s"] >= 0


def test_second_run_does_nothing(finished):
    assert finished.planned() == {}


@pytest.mark.parametrize(("changes", "expected"), CHANGES, ids=[json.dumps(change) for change, _ in CHANGES])
def test_changed_value_runs_what_depends_on_it(finished, changes, expected):
    assert finished.planned(configs=finished.overlay(changes)) == expected


@pytest.mark.parametrize(("stage", "expected"), BUMPS, ids=[stage for stage, _ in BUMPS])
def test_bumped_stage_runs_what_depends_on_it(finished, stage, expected):
    assert finished.planned(bumped=[stage]) == {rule: count for rule, count in expected.items() if count}


def test_second_system_leaves_the_first_alone(finished):
    other = {"systems": {"other": yaml.safe_load((finished.folder / "mini.yaml").read_text())["systems"]["mini"]}}
    other["systems"]["other"]["beam"]["energy_kev"] = 300
    (finished.folder / "other.yaml").write_text(yaml.safe_dump(other))
    assert finished.planned(configs=("mini.yaml", "other.yaml")) == EVERYTHING


def test_the_scan_engine_fills_the_stack_from_worker_processes(finished, tmp_path):
    """The adapter is read again by every worker process; changing who computes runs nothing again."""
    import xarray

    from pacbed.patterns import Geometry, polar_to_vector
    from pacbed.simulation.rendering.renderer import Renderer
    from pacbed.simulation.table.rocking_table import RockingTable

    shutil.copytree(finished.folder, tmp_path / "copy")
    workplace = type(finished)(tmp_path / "copy")
    scan = {"cells": 8, "blocks": 1, "scheduler": "processes", "workers": 2}
    changes = {
        "grid": {"thickness_nm": [4.5, 10], "convergence_mrad": [14], "mistilt_mrad": [2], "azimuth_deg": [30]},
        "simulation": {"engine": "scan", "scan": scan},
    }
    target = "results/mini/stack"
    done = workplace.snakemake("--cores", "2", target, configs=workplace.overlay(changes))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    scan.update(scheduler="threads", workers=1)
    assert workplace.planned(target, configs=workplace.overlay(changes)) == {}

    stack = xarray.open_zarr(workplace.folder / target / "stack.zarr")
    assert stack.attrs["engine"]["name"] == "scan"
    rendered = Renderer(RockingTable.load(results(workplace) / "simulation" / "rocking")).render_series(
        [4.5, 10.0],
        convergence_mrad=14.0,
        mistilt_mrad=polar_to_vector(2.0, 30.0),
        geometry=Geometry.field_of_view(48, 21.0),
    )
    scanned = stack.pattern.values[0, 0]
    # The aperture edge is one pixel wide, and there are few pixels.
    assert np.linalg.norm(scanned - rendered) < 1.2e-2 * np.linalg.norm(rendered)


def test_report_holds_the_sheet(finished):
    done = finished.snakemake("--report", "report.html")
    assert done.returncode == 0, done.stderr
    text = (finished.folder / "report.html").read_text()
    assert "validation sheet" in text
    assert "film" in text
