import csv

import numpy as np
import pytest

from pacbed.evaluation.scores import FLOOR, Score, summarise, write_csv


def score(method, noise, pattern, error, **more):
    truth = {"true_thickness_nm": 20.0 + pattern, "true_mistilt_mrad": 1.0, "convergence_mrad": 13.5}
    found = None if error is None else 20.0 + pattern + error
    return Score(method, noise, pattern, **truth, thickness_nm=found, thickness_error_nm=error, **more)


SCORES = [
    score("networks", 0.1, 0, 3.0, mistilt_error_mrad=0.5, seconds=0.1),
    score("networks", 0.1, 1, -4.0, mistilt_error_mrad=1.5, seconds=0.3),
    score("refinement", 0.1, 0, 0.3, thickness_std_nm=0.1),
    score("refinement", 0.1, 1, None),
    score(FLOOR, 0.1, 0, 0.05, mistilt_error_mrad=0.02),
    score("networks", 0.0, 0, 0.5),
]


def test_summary_by_noise_and_method():
    entries = {(entry["noise"], entry["method"]): entry for entry in summarise(SCORES)}
    networks = entries[0.1, "networks"]
    assert networks["thickness_rmse_nm"] == pytest.approx(np.sqrt(12.5))
    assert networks["thickness_median_nm"] == pytest.approx(3.5)
    assert networks["thickness_mean_percent"] == pytest.approx(100 * (3 / 20 + 4 / 21) / 2)
    assert networks["thickness_within_1_nm"] == 0 and networks["thickness_within_5_nm"] == 1
    assert networks["mistilt_median_mrad"] == pytest.approx(1.0)
    assert networks["seconds"] == pytest.approx(0.2)
    assert (0.0, "refinement") not in entries


def test_unanswered_patterns_are_counted_and_not_averaged():
    refinement = next(entry for entry in summarise(SCORES) if entry["method"] == "refinement")
    assert (refinement["patterns"], refinement["answered"]) == (2, 1)
    assert refinement["thickness_rmse_nm"] == pytest.approx(0.3)
    assert refinement["thickness_error_over_std"] == pytest.approx(3.0)
    assert refinement["mistilt_rmse_mrad"] is None


def test_table_leaves_missing_numbers_empty(tmp_path):
    write_csv(SCORES, tmp_path / "errors.csv")
    with (tmp_path / "errors.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(SCORES)
    assert rows[3]["thickness_nm"] == "" and float(rows[1]["thickness_error_nm"]) == -4
    assert [file.name for file in tmp_path.iterdir()] == ["errors.csv"]


def test_error_bars_are_put_on_trial():
    """Errors drawn from the error bars: the median of their ratio is that of a normal distribution."""
    rng = np.random.default_rng(7)
    bars = rng.uniform(0.1, 0.5, 2000)
    drawn = [score("refinement", 0.1, 0, float(bar * rng.normal()), thickness_std_nm=float(bar)) for bar in bars]
    (entry,) = summarise(drawn)
    assert entry["thickness_error_over_std"] == pytest.approx(0.6745, rel=0.06)
    assert entry["thickness_rmse_nm"] == pytest.approx(np.sqrt(np.mean(bars**2)), rel=0.06)


def test_infinite_numbers_are_left_out():
    scores = [score(FLOOR, 0.1, 0, float("inf")), score(FLOOR, 0.1, 1, 0.2)]
    (entry,) = summarise(scores)
    assert entry["thickness_rmse_nm"] == pytest.approx(0.2)
    assert entry["patterns"] == 2
