import csv
import json

import pytest

from pacbed.errors import FormatError
from pacbed.evaluation.evaluate import EvaluationSettings, evaluate


@pytest.fixture(scope="module")
def outcome(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluation")
    evaluate(
        table_dir=parts["table_dir"], stack_dir=parts["stack_dir"], models_dir=parts["models_dir"],
        settings=EvaluationSettings([0.05, 0], patterns=2, seed=4), out_json=folder / "errors.json",
        out_png=folder / "errors.png",
        out_csv=folder / "errors.csv",
    )  # fmt: skip
    return folder


def test_a_stack_of_another_system_is_not_evaluated(parts, at_another_voltage, tmp_path):
    out = {"out_json": tmp_path / "e.json", "out_png": tmp_path / "e.png", "out_csv": tmp_path / "e.csv"}
    with pytest.raises(FormatError, match=r"stack: got .*300 keV, accepted: that of the table, .*200 keV"):
        evaluate(
            table_dir=parts["table_dir"], stack_dir=at_another_voltage(parts["stack_dir"]),
            models_dir=parts["models_dir"], settings=EvaluationSettings([0], patterns=1, seed=1), **out,
        )  # fmt: skip
    assert list(tmp_path.glob("e.*")) == []


def entries(outcome):
    content = json.loads((outcome / "errors.json").read_text(encoding="utf-8"))
    return content, {(entry["noise"], entry["method"]): entry for entry in content["errors"]}


def test_every_method_is_measured_at_every_level(outcome):
    content, found = entries(outcome)
    assert content["noise_levels"] == [0, 0.05]
    methods = ("nearest_image", "networks", "refinement", "floor")
    assert set(found) == {(noise, method) for noise in (0, 0.05) for method in methods}
    assert all(entry["patterns"] == 2 for entry in content["errors"])


def test_refinement_finds_clean_truth_and_nothing_beats_the_floor(outcome):
    _, found = entries(outcome)
    # The thin, tilted patterns of the tiny table leave some freedom even without noise: the fit stops at its tolerance.
    assert found[0, "refinement"]["thickness_median_nm"] < 0.2
    assert found[0, "refinement"]["mistilt_median_mrad"] < 0.2
    assert found[0, "floor"]["thickness_rmse_nm"] == 0
    floor = found[0.05, "floor"]["thickness_rmse_nm"]
    assert 0.001 < floor < 1
    assert found[0.05, "refinement"]["thickness_rmse_nm"] > 0.3 * floor  # two patterns: a wide berth
    assert found[0.05, "nearest_image"]["mistilt_rmse_mrad"] is None


def test_table_holds_each_answer(outcome):
    with (outcome / "errors.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * 2 * 4
    for row in rows:
        if row["thickness_nm"]:
            error = float(row["thickness_nm"]) - float(row["true_thickness_nm"])
            assert float(row["thickness_error_nm"]) == pytest.approx(error, abs=1e-9)
    same = {row["true_thickness_nm"] for row in rows if row["pattern"] == "1"}
    assert len(same) == 1, "a pattern's parameters do not change with the noise"
    assert (outcome / "errors.png").stat().st_size > 10_000


def test_without_networks_the_rest_is_measured(parts, outcome, tmp_path):
    evaluate(
        table_dir=parts["table_dir"], stack_dir=parts["stack_dir"], models_dir=None,
        settings=EvaluationSettings([0], patterns=2, seed=4), out_json=tmp_path / "errors.json",
        out_png=tmp_path / "errors.png", out_csv=tmp_path / "errors.csv",
    )  # fmt: skip
    _, found = entries(tmp_path)
    assert {method for _, method in found} == {"nearest_image", "refinement", "floor"}
    assert found[0, "refinement"]["thickness_median_nm"] < 0.2
    assert found[0, "nearest_image"] == entries(outcome)[1][0, "nearest_image"] | {
        "seconds": found[0, "nearest_image"]["seconds"]
    }
