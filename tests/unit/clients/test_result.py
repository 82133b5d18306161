"""Answers are read strictly: a number never comes from something misunderstood."""

import copy

import pytest
from pacbed_client.errors import InputError, ServiceError
from pacbed_client.result import BAD, DONE, REFUSED, read_answer, with_error

from pacbed.analysis.report.batch import Outcome
from pacbed.analysis.report.batch import with_error as with_error_of_the_package
from pacbed.analysis.result import Estimate, Result
from pacbed.cli import arguments

RESULT = {
    "system": "tiny",
    "thickness_nm": {"value": 30.74, "std": 0.66, "std_statistical": 0.4, "std_model": 0.5, "interval_90": None},
    "mistilt_mrad": {"value": 4.011, "std": 0.06},
    "mistilt_azimuth_deg": {"value": 252.6, "std": 1.0},
    **dict.fromkeys(["mistilt_x_mrad", "mistilt_y_mrad", "mistilt_covariance_mrad2", "scale", "pixel_mrad"]),
    **dict.fromkeys(["rotation_deg", "convergence_mrad", "blur_mrad"]),
    "thickness_candidates": [{"value": 31.0, "probability": 0.9}],
    "misfit": 0.1,
    "verdict": "doubtful",
    "reasons": ["the pattern is dark", "it is round"],
    "networks": {},
    "provenance": {
        "input": "film.dm4", "input_sha256": "0", "bundle": "tiny.pacbed", "bundle_sha256": "0", "versions": {},
        "parameters": {},
    },
}  # fmt: skip
ANSWER = {"id": "ab", "input": "film.dm4", "bundle": "tiny.pacbed", "result": RESULT}


def changed(**parts):
    answer = copy.deepcopy(ANSWER)
    answer["result"].update(parts)
    return answer


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"verdict": "ok", "reasons": []},
        {"mistilt_azimuth_deg": None},
        {"mistilt_mrad": None, "mistilt_azimuth_deg": None},
        {"verdict": "refused", "thickness_nm": None, "mistilt_mrad": None, "mistilt_azimuth_deg": None},
    ],
)
def test_the_line_is_that_of_the_package(parts, tmp_path):
    answer = changed(**parts)
    outcome = Outcome(tmp_path / "film.dm4", Result.model_validate(answer["result"]))
    found = read_answer(answer)
    assert str(found) == outcome.line() and found.status == outcome.status
    assert (DONE, REFUSED, BAD) == (arguments.DONE, arguments.REFUSED, arguments.BAD)


@pytest.mark.parametrize("std", [None, 0.0, 0.04, 0.0999, 0.1, 3.0])
def test_decimals_are_those_of_the_package(std):
    assert std is None or with_error({"value": 30.746, "std": std}) == with_error_of_the_package(
        Estimate(value=30.746, std=std)
    )
    assert with_error({"value": 30.746, "std": None}) == with_error_of_the_package(Estimate(value=30.746))


def test_a_refused_pattern_has_no_thickness():
    found = read_answer(changed(verdict="refused", thickness_nm=None))
    assert found.thickness_nm is None and found.std_nm is None and found.status == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {**ANSWER, "result": None},
        changed(verdict="fine"),
        changed(thickness_nm={"value": "thick", "std": 1.0}),
        changed(thickness_nm={"std": 1.0}),
        changed(thickness_nm=30.0),
        changed(thickness_candidates=None),
        {key: value for key, value in ANSWER.items() if key != "id"},
    ],
)
def test_what_is_not_understood_gives_no_number(answer):
    with pytest.raises(ServiceError, match="not understood"):
        read_answer(answer)


def test_only_the_service_has_the_sheet(tmp_path):
    with pytest.raises(InputError, match="a result that was just looked up"):
        read_answer(ANSWER).save_sheet(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_representation_is_short():
    assert len(repr(read_answer(ANSWER))) < 500 and "30.74" in repr(read_answer(ANSWER))
