"""Classes, smoothed labels, candidates and scores."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.networks.classes import LABEL_WIDTH, TaskClasses

GRID = {"thickness_nm": [1.0, 2.0, 3.0, 4.0], "mistilt_mrad": [0.0, 2.0], "scale_range": [0.7, 1.4], "scale_step": 0.1}


def test_classes_of_the_tasks():
    assert TaskClasses.of_grid("thickness", **GRID).values.tolist() == [1, 2, 3, 4]
    assert TaskClasses.of_grid("mistilt", **GRID).values.tolist() == [0, 2]
    np.testing.assert_allclose(TaskClasses.of_grid("scale", **GRID).values, np.linspace(0.7, 1.4, 8))
    assert [TaskClasses.of_grid(task, **GRID).unit for task in ("scale", "thickness", "mistilt")] == ["1", "nm", "mrad"]


def test_scale_classes_stay_inside_the_range():
    assert TaskClasses.of_grid("scale", **{**GRID, "scale_step": 0.3}).values.tolist() == [0.7, 1.0, 1.3]


def test_one_hot_labels_name_the_nearest_class():
    classes = TaskClasses.of_grid("thickness", **GRID).one_hot()
    labels = classes.labels(np.array([1.0, 2.4, 9.0]))
    np.testing.assert_array_equal(labels, np.eye(4, dtype=np.float32)[[0, 1, 3]])
    assert classes.values.tolist() == [1, 2, 3, 4]


def test_unknown_task():
    with pytest.raises(ParameterError, match="task: got 'tilt', accepted: one of scale, thickness, mistilt"):
        TaskClasses.of_grid("tilt", **GRID)


@pytest.mark.parametrize("values", [[], [1.0, 1.0], [2.0, 1.0], [1.0, np.nan], [1.0, np.inf]])
def test_values_that_are_no_classes(values):
    with pytest.raises(ParameterError, match=r"classes of mistilt: got .*, accepted: ascending finite numbers"):
        TaskClasses("mistilt", np.array(values))


def test_step_of_the_classes():
    assert TaskClasses("thickness", np.array([2.0, 4.0, 8.0])).step == 3.0
    assert TaskClasses("thickness", np.array([5.0])).step == 1.0


@pytest.mark.parametrize("task", ["scale", "thickness", "mistilt"])
def test_labels_follow_their_formula(task):
    """Against one exponential at a time."""
    classes, truth = TaskClasses(task, np.array([1.0, 1.5, 2.0, 2.5])), 1.7
    heights = [np.exp(-((truth - value) ** 2) / (2 * (LABEL_WIDTH[task] * 0.5) ** 2)) for value in classes.values]
    np.testing.assert_allclose(classes.labels(np.array([truth]))[0], np.array(heights) / sum(heights), rtol=1e-5)


def test_labels_far_outside_the_classes_stay_probabilities():
    labels = TaskClasses("mistilt", np.arange(6.0)).labels(np.array([500.0, -500.0]))
    assert labels[:, [5, 0]].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_no_answer_costs_less_than_the_labels_themselves():
    """Cross-entropy -sum y ln p is least for p = y."""
    labels = TaskClasses("thickness", np.arange(1.0, 8.0)).labels(np.array([3.3]))[0].astype(float)
    least = -np.sum(labels * np.log(labels))
    rng = np.random.default_rng(2)
    for _ in range(50):
        answer = labels * np.exp(0.1 * rng.standard_normal(7))
        assert -np.sum(labels * np.log(answer / answer.sum())) > least


def test_labels_are_gaussians_around_the_true_value():
    labels = TaskClasses("thickness", np.arange(1.0, 101.0)).labels(np.array([40.0, 40.5, 1.0]))
    np.testing.assert_allclose(labels.sum(axis=1), 1.0, rtol=1e-6)
    assert labels[0, 40] / labels[0, 39] == pytest.approx(np.exp(-0.5), rel=1e-4)  # one class away
    assert labels[1, 39] == pytest.approx(labels[1, 40])
    assert labels[2].argmax() == 0
    assert labels[0] @ np.arange(1.0, 101.0) == pytest.approx(40.0, abs=1e-4)


def test_labels_scale_with_the_class_step():
    fine = TaskClasses("scale", np.arange(0.7, 1.41, 0.02)).labels(np.array([1.02]))
    assert fine[0, 17] / fine[0, 16] == pytest.approx(np.exp(-0.5), rel=1e-3)


def test_one_class_only():
    classes = TaskClasses("mistilt", np.array([0.0]))
    assert classes.labels(np.array([0.0, 0.0])).tolist() == [[1.0], [1.0]]
    assert np.isnan(classes.candidates(np.ones((1, 1)))[0, 1:]).all()


def test_candidates_are_separate_peaks():
    """The neighbours of the highest class are the same candidate, a lower peak far away is another one."""
    probability = np.zeros((1, 100))
    probability[0, 49:52] = [0.2, 0.3, 0.2]
    probability[0, 79], probability[0, 9] = 0.15, 0.1
    assert TaskClasses("thickness", np.arange(1.0, 101.0)).candidates(probability).tolist() == [[51.0, 80.0, 10.0]]


def test_candidates_of_few_classes():
    found = TaskClasses("mistilt", np.arange(6.0)).candidates(np.array([[0.1, 0.6, 0.1, 0.05, 0.05, 0.1]]))
    assert found[0, 0] == 1.0
    assert found[0, 1] == 5.0
    assert np.isnan(found[0, 2])


def test_scores():
    classes = TaskClasses("thickness", np.arange(1.0, 101.0))
    probability = np.zeros((2, 100))
    probability[0, 29] = 1.0
    probability[1, 9], probability[1, 59] = 0.6, 0.4
    scores = classes.scores(probability, np.array([31.0, 60.2]))
    assert scores["within_5_classes"] == 0.5
    assert scores["candidates_within_5_classes"] == 1.0
    assert scores["mean_error"] == pytest.approx((1.0 + 50.2) / 2)


def test_scores_of_one_hot_truths_are_perfect():
    classes = TaskClasses("mistilt", np.array([0.0, 2.0, 4.0]))
    assert classes.scores(np.eye(3), classes.values) == {
        "median_error": 0.0,
        "mean_error": 0.0,
        "within_5_classes": 1.0,
        "candidates_within_5_classes": 1.0,
    }


def test_five_classes_off_still_counts_as_near():
    classes = TaskClasses("scale", np.arange(20) / 10)
    one_hot = np.eye(20)[[0, 0]]
    assert classes.scores(one_hot, np.array([0.5, 0.61]))["within_5_classes"] == 0.5
