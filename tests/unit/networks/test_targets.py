"""Classes, labels and candidates."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.networks.classes import Target

GRID = {"thickness_nm": [1.0, 2.0, 3.0, 4.0], "mistilt_mrad": [0.0, 2.0], "scale_range": [0.7, 1.4], "scale_step": 0.1}


def test_classes_of_the_tasks():
    assert Target.of("thickness", **GRID).values.tolist() == [1, 2, 3, 4]
    assert Target.of("mistilt", **GRID).values.tolist() == [0, 2]
    np.testing.assert_allclose(Target.of("scale", **GRID).values, np.linspace(0.7, 1.4, 8))
    assert [Target.of(task, **GRID).unit for task in ("scale", "thickness", "mistilt")] == ["1", "nm", "mrad"]


def test_scale_classes_stay_inside_the_range():
    assert Target.of("scale", **{**GRID, "scale_step": 0.3}).values.tolist() == [0.7, 1.0, 1.3]


def test_unknown_task():
    with pytest.raises(ParameterError, match="scale, thickness, mistilt"):
        Target.of("tilt", **GRID)


def test_labels_are_gaussians_around_the_true_value():
    labels = Target("thickness", np.arange(1.0, 101.0)).labels(np.array([40.0, 40.5, 1.0]))
    np.testing.assert_allclose(labels.sum(axis=1), 1.0, rtol=1e-6)
    assert labels[0, 40] / labels[0, 39] == pytest.approx(np.exp(-0.5), rel=1e-4)  # one class away
    assert labels[1, 39] == pytest.approx(labels[1, 40])
    assert labels[2].argmax() == 0
    assert labels[0] @ np.arange(1.0, 101.0) == pytest.approx(40.0, abs=1e-4)


def test_labels_scale_with_the_class_step():
    fine = Target("scale", np.arange(0.7, 1.41, 0.02)).labels(np.array([1.02]))
    assert fine[0, 17] / fine[0, 16] == pytest.approx(np.exp(-0.5), rel=1e-3)


def test_one_class_only():
    target = Target("mistilt", np.array([0.0]))
    assert target.labels(np.array([0.0, 0.0])).tolist() == [[1.0], [1.0]]
    assert np.isnan(target.candidates(np.ones((1, 1)))[0, 1:]).all()


def test_candidates_are_separate_peaks():
    """The neighbours of the highest class are the same candidate, a lower peak far away is another one."""
    probability = np.zeros((1, 100))
    probability[0, 49:52] = [0.2, 0.3, 0.2]
    probability[0, 79], probability[0, 9] = 0.15, 0.1
    assert Target("thickness", np.arange(1.0, 101.0)).candidates(probability).tolist() == [[51.0, 80.0, 10.0]]


def test_candidates_of_few_classes():
    found = Target("mistilt", np.arange(6.0)).candidates(np.array([[0.1, 0.6, 0.1, 0.05, 0.05, 0.1]]))
    assert found[0, 0] == 1.0
    assert found[0, 1] == 5.0
    assert np.isnan(found[0, 2])


def test_scores():
    target = Target("thickness", np.arange(1.0, 101.0))
    probability = np.zeros((2, 100))
    probability[0, 29] = 1.0
    probability[1, 9], probability[1, 59] = 0.6, 0.4
    scores = target.scores(probability, np.array([31.0, 60.2]))
    assert scores["within_5_classes"] == 0.5
    assert scores["candidates_within_5_classes"] == 1.0
    assert scores["mean_error"] == pytest.approx((1.0 + 50.2) / 2)
