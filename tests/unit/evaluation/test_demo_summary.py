import json

import pytest

from pacbed.analysis.result import (
    Candidate,
    ClassProbabilities,
    Provenance,
    Result,
    ThicknessEstimate,
    estimate,
    write_result,
)
from pacbed.evaluation.demo_summary import check_requirements, main, read_experiments
from pacbed.patterns import polar_to_vector

TRUTH = {"thickness_nm": 42.3, "mistilt_mrad": 3.0, "mistilt_azimuth_deg": 30.0}


def result(thickness_nm=42.6, azimuth_deg=32.0, candidates=(20.0, 45.0), verdict="ok"):
    x, y = polar_to_vector(3.1, azimuth_deg)
    empty = dict.fromkeys(("scale", "pixel_mrad", "rotation_deg", "convergence_mrad", "blur_mrad"))
    return Result(
        system="demo",
        thickness_nm=None if thickness_nm is None else ThicknessEstimate(value=thickness_nm, std=0.4),
        mistilt_mrad=estimate(3.1, 0.05),
        mistilt_azimuth_deg=estimate(azimuth_deg, 1.0),
        mistilt_x_mrad=estimate(float(x), 0.03),
        mistilt_y_mrad=estimate(float(y), 0.03),
        mistilt_covariance_mrad2=None,
        thickness_candidates=[Candidate(value=value, probability=0.3) for value in candidates],
        misfit=0.05,
        verdict=verdict,
        reasons=[] if verdict == "ok" else ["two thicknesses fit"],
        networks={"mistilt": ClassProbabilities(class_values=[2.0, 3.0], probability=[0.2, 0.8])},
        provenance=Provenance(input="a", input_sha256="", bundle="b", bundle_sha256="", versions={}, parameters={}),
        **empty,
    )


@pytest.fixture
def demo(tmp_path):
    """Folder of a finished demo with three experiments, and its truth file."""
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({"seed": 1, **{f"experiment_{n}": TRUTH for n in (1, 2, 3)}}))
    for number in (1, 2, 3):
        write_result(result(), tmp_path / "demo" / "predictions" / f"experiment_{number}.json")
    return tmp_path / "demo", truth


def replace_result(demo, name, **change):
    write_result(result(**change), demo[0] / "predictions" / f"{name}.json")


def run(demo, *more):
    return main([str(demo[0]), "--truth", str(demo[1]), *more])


def test_prints_truth_networks_refined_and_places(demo, capsys):
    replace_result(demo, "my_film", verdict="doubtful")
    assert run(demo, "--check") == 0
    text = capsys.readouterr().out
    for part in (
        "42.30", "3.00 at 30 deg", "20 (30 %), 45 (30 %)", "3 (80 %)", "42.60 ± 0.40", "3.10 ± 0.05 at 32 deg", "+0.30",
        "refined thickness within 1 nm: 3 of 3", "my_film", "doubtful: two thicknesses fit", "report.html",
        "experiment_2.png",
    ):  # fmt: skip
        assert part in text
    assert text.count("42.30") == 3, "a pattern without truth has no line of it"
    assert "FAILED" not in text


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"thickness_nm": 43.4}, "refined thickness"),
        ({"thickness_nm": None}, "refined thickness"),
        ({"azimuth_deg": 45.0}, "refined mistilt"),
    ],
)
def test_one_experiment_off_fails_only_the_check(demo, capsys, change, failed):
    replace_result(demo, "experiment_2", **change)
    assert run(demo) == 0
    assert run(demo, "--check") == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[FAILED]")]
    assert len(lines) == 2 and all(failed in line for line in lines)


def test_networks_may_miss_one_of_three(demo):
    replace_result(demo, "experiment_1", candidates=(20.0, 60.0))
    assert run(demo, "--check") == 0
    replace_result(demo, "experiment_3", candidates=())
    assert run(demo, "--check") == 1


def test_errors_are_those_of_thickness_and_of_the_mistilt_vector(demo):
    experiment = read_experiments(*demo)[0]
    assert experiment.thickness_error_nm == pytest.approx(0.3)
    assert experiment.candidate_error_nm == pytest.approx(2.7)
    # Law of cosines for 3.0 and 3.1 mrad, 2 degrees apart.
    assert experiment.mistilt_error_mrad == pytest.approx((3**2 + 3.1**2 - 2 * 3 * 3.1 * 0.99939083) ** 0.5, rel=1e-4)
    assert all(one.kept for one in check_requirements([experiment]))


def test_missing_results_are_named_and_exit_with_2(demo, capsys):
    (demo[0] / "predictions" / "experiment_3.json").unlink()
    assert run(demo) == 2
    assert "experiment_3.json" in capsys.readouterr().err
    assert main([str(demo[0]), "--truth", "nowhere.json"]) == 2
