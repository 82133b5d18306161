import csv

import numpy as np
import pytest

from pacbed.evaluation.answers import FLOOR, RENDERED, Answer
from pacbed.evaluation.scores import by_thickness, covered, summarise, write_csv


def answer(method, sigma, pattern, error, *, kind=RENDERED, electrons=None, true=None, **more):
    thickness = 20.0 + pattern if true is None else true
    truth = {"true_thickness_nm": thickness, "true_mistilt_mrad": 1.0, "true_scale": 1.0, "convergence_mrad": 13.5}
    return Answer(
        kind, sigma, electrons, pattern, method, **truth, thickness_nm=None if error is None else thickness + error,
        **more,
    )  # fmt: skip


ANSWERS = [
    answer("networks", 0.1, 0, 3.5, mistilt_mrad=1.5, scale=1.02, cpu_s=0.1, candidates_nm=(23.5, 21.0), verdict="ok"),
    answer("networks", 0.1, 1, -4.0, mistilt_mrad=2.5, scale=0.97, cpu_s=0.3, candidates_nm=(17.0,), verdict="ok"),
    answer("networks", 0.1, 2, 0.5, mistilt_mrad=0.8, cpu_s=0.2, candidates_nm=(22.5,), verdict="doubtful"),
    answer("networks_refinement", 0.1, 0, 0.3, thickness_std_nm=0.1, mistilt_vector_error_mrad=0.2, mistilt_mrad=1.1),
    answer("networks_refinement", 0.1, 1, None),
    answer(FLOOR, 0.1, 0, None, thickness_std_nm=0.05, mistilt_vector_error_mrad=0.02),
    answer(FLOOR, 0.1, 1, None, thickness_std_nm=0.2, mistilt_vector_error_mrad=0.04),
    answer("networks", 0.0, 0, 0.5),
    answer("networks", 0.0, 0, 1.5, electrons=1e4),
]


def summary(answers=ANSWERS):
    found = summarise({one.key: one for one in answers})
    return {(entry["noise"], entry["electrons"], entry["method"]): entry for entry in found}


def test_errors_by_hand():
    networks = summary()[0.1, None, "networks"]
    assert networks["kind"] == RENDERED
    assert (networks["patterns"], networks["answered"]) == (3, 3)
    assert networks["thickness_mean_nm"] == pytest.approx(8 / 3)
    assert networks["thickness_median_nm"] == pytest.approx(3.5)
    assert networks["thickness_rmse_nm"] == pytest.approx(np.sqrt((3.5**2 + 16 + 0.25) / 3))
    assert networks["thickness_mean_percent"] == pytest.approx(100 * (3.5 / 20 + 4 / 21 + 0.5 / 22) / 3)
    assert networks["thickness_within_1_nm"] == pytest.approx(1 / 3) and networks["thickness_within_5_nm"] == 1
    assert networks["thickness_beyond_3_nm"] == pytest.approx(2 / 3)
    assert networks["candidate_within_2_nm"] == pytest.approx(2 / 3)
    assert (networks["ok"], networks["ok_beyond_3_nm"]) == (2, 1.0)
    assert networks["mistilt_median_mrad"] == networks["mistilt_magnitude_median_mrad"] == pytest.approx(0.5)
    assert networks["mistilt_vector_median_mrad"] is None
    assert networks["scale_mean_percent"] == pytest.approx(2.5)
    assert networks["cpu_s"] == pytest.approx(0.2)
    assert summary()[None, 1e4, "networks"]["thickness_median_nm"] == 1.5


def test_unanswered_patterns_are_counted_and_not_averaged():
    refinement = summary()[0.1, None, "networks_refinement"]
    assert (refinement["patterns"], refinement["answered"]) == (2, 1)
    assert refinement["thickness_rmse_nm"] == pytest.approx(0.3)
    assert refinement["thickness_error_over_std"] == pytest.approx(3.0)
    assert refinement["mistilt_median_mrad"] == refinement["mistilt_vector_median_mrad"] == pytest.approx(0.2)
    assert refinement["mistilt_magnitude_median_mrad"] == pytest.approx(0.1)
    assert refinement["ok_beyond_3_nm"] is None


def test_the_floor_stands_beside_every_method():
    found = summary()
    assert found[0.1, None, FLOOR]["thickness_median_nm"] == pytest.approx(0.125)
    networks = found[0.1, None, "networks"]
    assert networks["floor_nm"] == pytest.approx(0.125)
    assert networks["error_over_floor"] == pytest.approx(1.4826 * np.median([3.5 / 0.05, 4 / 0.2]))
    assert found[0.0, None, "networks"]["error_over_floor"] is None


def test_a_method_at_the_floor_is_once_the_floor_away():
    rng = np.random.default_rng(7)
    floors = rng.uniform(0.1, 0.5, 3000)
    drawn = [answer("match_refinement", 0.1, n, float(floor * rng.normal())) for n, floor in enumerate(floors)]
    least = [answer(FLOOR, 0.1, n, None, thickness_std_nm=float(floor)) for n, floor in enumerate(floors)]
    assert summary(drawn + least)[0.1, None, "match_refinement"]["error_over_floor"] == pytest.approx(1, abs=0.06)


def test_errors_drawn_from_their_error_bars_are_covered_as_promised():
    rng = np.random.default_rng(7)
    bars = rng.uniform(0.1, 0.5, 4000)
    drawn = [
        answer("networks_refinement", 0.1, n, float(bar * rng.normal()), thickness_std_nm=float(2 * bar),
               thickness_std_statistical_nm=float(bar))
        for n, bar in enumerate(bars)
    ]  # fmt: skip
    found = summary(drawn)[0.1, None, "networks_refinement"]
    assert found["coverage_statistical_68"] == pytest.approx(0.683, abs=0.03)
    assert found["coverage_statistical_90"] == pytest.approx(0.9, abs=0.02)
    assert found["coverage_50"] == pytest.approx(0.823, abs=0.03), "a bar twice as long: 1.349 standard deviations"
    assert found["coverage_95"] > 0.999


def test_an_interval_of_its_own_counts_as_it_is():
    inside, outside = (
        answer("networks", 0.1, number, 1.0, thickness_std_nm=0.1, interval_90_nm=(low, 30.0))
        for number, low in ((0, 19.0), (1, 21.5))
    )
    assert summary([inside, outside])[0.1, None, "networks"]["coverage_90"] == 0.5


def test_coverage_by_hand():
    error, std = np.array([0.5, -1.2, 3.0, np.nan]), np.array([1.0, 1.0, 1.0, 1.0])
    assert covered(error, std, 68) == pytest.approx(1 / 3)
    assert covered(error, std, 90) == pytest.approx(2 / 3)
    assert covered(error, std * np.nan, 90) is None


def test_thickness_ranges():
    true = [2.0, 9.9, 10.0, 25.0, 150.0]
    found = by_thickness([answer("match", 0, n, n - 1.0, true=t) for n, t in enumerate(true)])
    assert {name: entry["patterns"] for name, entry in found.items()} == {"2-10": 2, "10-20": 1, "20-40": 1, "150-": 1}
    assert found["2-10"] == {"patterns": 2, "mean_nm": 0.5, "median_nm": 0.5, "beyond_3_nm": 0.0}
    assert found["150-"]["median_nm"] == pytest.approx(3.0)


def test_table_leaves_missing_numbers_empty(tmp_path):
    write_csv(ANSWERS, tmp_path / "answers.csv")
    with (tmp_path / "answers.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(ANSWERS)
    assert rows[4]["thickness_nm"] == "" and float(rows[1]["thickness_error_nm"]) == -4
    assert [file.name for file in tmp_path.iterdir()] == ["answers.csv"]


def test_infinite_floors_are_left_out():
    floors = [answer(FLOOR, 0.1, n, None, thickness_std_nm=std) for n, std in enumerate((float("inf"), 0.2))]
    found = summary([*floors, answer("match", 0.1, 0, 1.0), answer("match", 0.1, 1, 1.0)])
    assert found[0.1, None, FLOOR]["thickness_rmse_nm"] == pytest.approx(0.2)
    assert found[0.1, None, "match"]["error_over_floor"] == pytest.approx(1.4826 * 5)
