import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from pacbed.analysis.result import estimate, main, read_result, result_schema, with_std, write_result
from pacbed.errors import FormatError

SCHEMA = Path(__file__).parents[3] / "docs" / "result.schema.json"


def test_a_result_survives_its_file(tmp_path, analysis):
    write_result(analysis.result, tmp_path / "deep" / "a.json")
    assert read_result(tmp_path / "deep" / "a.json") == analysis.result
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["a.json"]


def test_the_file_holds_every_promised_field(tmp_path, analysis):
    write_result(analysis.result, tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text()
    data = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in the file"))
    assert set(data) == {
        *("schema_version", "system", "thickness_nm", "mistilt_mrad", "mistilt_azimuth_deg", "mistilt_x_mrad"),
        *("mistilt_y_mrad", "mistilt_covariance_mrad2", "scale", "pixel_mrad", "rotation_deg", "convergence_mrad"),
        *("ellipse_plus_percent", "ellipse_cross_percent", "effects"),
        *("mirrored", "polarity", "hand", "beam"),
        *("blur_mrad", "thickness_candidates", "misfit", "verdict", "reasons", "networks", "provenance"),
    }
    assert set(data["thickness_nm"]) == {"value", "std", "interval_90", "std_statistical", "std_effects", "std_model"}
    assert data["rotation_deg"]["modulo_deg"] == 90


def test_a_result_of_before_ellipses_is_read(tmp_path, analysis):
    data = json.loads(analysis.result.model_dump_json())
    assert data.pop("ellipse_plus_percent")["std"] > 0
    del data["ellipse_cross_percent"]
    (tmp_path / "old.json").write_text(json.dumps(data))
    old = read_result(tmp_path / "old.json")
    assert old.ellipse_plus_percent is None
    assert old.thickness_nm == analysis.result.thickness_nm


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"schema_version": 2}, "got schema_version 2, accepted: 1"),
        ({"misfit": -1}, "misfit"),
        ({"colour": "blue"}, "colour"),
        ({"verdict": "perhaps"}, "verdict"),
    ],
)
def test_foreign_results_are_refused_by_name(tmp_path, analysis, change, text):
    data = json.loads(analysis.result.model_dump_json()) | change
    (tmp_path / "a.json").write_text(json.dumps(data))
    with pytest.raises(FormatError, match=text):
        read_result(tmp_path / "a.json")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "3"])
def test_damaged_results_are_refused(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FormatError, match="damaged"):
        read_result(tmp_path / "a.json")


def test_nan_is_no_value():
    with pytest.raises(ValidationError):
        estimate(float("nan"), 0.1)
    assert estimate(1.0, None).interval_90 is None
    assert estimate(1.0, 0.1).interval_90 == pytest.approx((0.8355, 1.1645), abs=1e-4)


def test_schema_file_is_in_step(tmp_path):
    assert json.loads(SCHEMA.read_text()) == result_schema()
    main(["--write-schema", str(tmp_path / "schema.json")])
    assert (tmp_path / "schema.json").read_text() == SCHEMA.read_text()


@pytest.mark.parametrize(("std", "text"), [(0.6, "30.84 ± 0.60"), (None, "30.84")])
def test_an_estimate_is_written_with_its_error(std, text):
    assert with_std(estimate(30.84, std), 2) == text
