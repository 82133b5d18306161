import csv
import json

import pytest

from pacbed.errors import FormatError
from pacbed.evaluation.answers import FLOOR, METHODS
from pacbed.evaluation.evaluate import EvaluationSettings, evaluate

SETTINGS = EvaluationSettings([0.2, 0], patterns=2, seed=4, electrons=[1e6], direct_patterns=1)


def run(parts, folder, settings=SETTINGS, **change):
    given = {name: parts[name] for name in ("structure_dir", "table_dir", "stack_dir", "models_dir")} | change
    evaluate(**given, settings=settings, state_file=folder / ".answers.jsonl", out_dir=folder)


@pytest.fixture(scope="module")
def outcome(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluation")
    run(parts, folder)
    return folder


def entries(folder, name="errors"):
    content = json.loads((folder / "errors.json").read_text(encoding="utf-8"))
    return content, {(entry["noise"], entry["method"]): entry for entry in content[name]}


def test_a_stack_of_another_system_is_not_evaluated(parts, at_another_voltage, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(FormatError, match=r"stack: got .*300 keV, accepted: that of the structure, .*200 keV"):
        run(parts, tmp_path / "out", stack_dir=at_another_voltage(parts["stack_dir"]))
    assert list((tmp_path / "out").iterdir()) == []


def test_every_method_is_measured_at_every_level(outcome):
    content, found = entries(outcome)
    assert (content["schema_version"], content["noise_levels"], content["electrons"]) == (2, [0, 0.2], [1e6])
    assert set(found) == {(noise, name) for noise in (0, 0.2) for name in (*METHODS, FLOOR)} - {(0, FLOOR)}
    assert all(entry["patterns"] == 2 for entry in content["errors"])
    counted = entries(outcome, "errors_counted")[1]
    assert set(counted) == {(None, name) for name in (*METHODS, FLOOR)}
    assert {entry["patterns"] for entry in content["errors_direct"]} == {1}


def test_refinement_finds_clean_truth_and_nothing_beats_the_floor(outcome):
    _, found = entries(outcome)
    # The thin, tilted patterns of the tiny table leave some freedom even without noise: the fit stops at its tolerance.
    assert found[0, "networks_refinement"]["thickness_median_nm"] < 0.2
    assert found[0, "networks_refinement"]["mistilt_median_mrad"] < 0.2
    floor = found[0.2, "floor"]["thickness_rmse_nm"]
    assert 0.001 < floor < 1
    assert found[0.2, "networks_refinement"]["thickness_rmse_nm"] > 0.3 * floor  # two patterns: a wide berth
    assert found[0.2, "least_squares_no_tilt"]["mistilt_rmse_mrad"] is None


def test_direct_truth_is_found_as_well(outcome):
    _, found = entries(outcome, "errors_direct")
    assert found[0, "match_refinement"]["thickness_median_nm"] < 0.3


def test_table_holds_each_answer_and_no_state_is_left(outcome):
    with (outcome / "answers.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3 * (3 * len(METHODS) + 2)
    same = {row["true_thickness_nm"] for row in rows if row["pattern"] == "1"}
    assert len(same) == 1, "a pattern's parameters do not change with the noise"
    assert sorted(file.name for file in outcome.iterdir()) == [
        "answers.csv",
        "errors.json",
        "errors.png",
        "patterns.npz",
    ]


def test_without_networks_the_rest_is_measured_and_the_same(parts, outcome, tmp_path):
    run(parts, tmp_path, EvaluationSettings([0], patterns=2, seed=4), models_dir=None)
    content, found = entries(tmp_path)
    assert {method for _, method in found} == {name for name in METHODS if "networks" not in name}
    assert content["errors_counted"] == content["errors_direct"] == []
    for method in ("least_squares", "match", "match_refinement"):
        cpu = {"cpu_s": found[0, method]["cpu_s"]}
        assert found[0, method] == entries(outcome)[1][0, method] | cpu
