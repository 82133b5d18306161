from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.parameters import NAMES, Displacement
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.fit.sensitivity import STEPS, jacobian, residuals, rms

RESTRAINTS = Restraints(14.0, 0.28)
AWAY = Displacement(-0.45, 0.12, -0.12, 0.15, 0.15, 0.6, 1.2, -0.06, 0.03)


@pytest.fixture(scope="module")
def at(truth):
    return truth.moved(AWAY)


@pytest.fixture(scope="module")
def slopes(model, at):
    return jacobian(model, at, RESTRAINTS, 1.0, central=True)


def test_residuals_end_with_the_restraints(model, at):
    found = residuals(model, at, RESTRAINTS, 0.5)
    np.testing.assert_array_equal(found[:-1], model.residual(at))
    assert found[-1] == pytest.approx(0.5 * (at.convergence_mrad - 14.0) / 0.28)


@pytest.mark.parametrize("name", NAMES)
def test_slopes_agree_with_smaller_differences(model, at, slopes, name):
    """Each column against a central difference of half the step; the aperture's edge has kinks of a pixel's width."""
    index = NAMES.index(name)
    unit = np.eye(len(NAMES))[index]
    step = STEPS[index] / 2
    finer = (model.residual(at.moved(step * unit)) - model.residual(at.moved(-step * unit))) / (2 * step)
    assert np.linalg.norm(slopes[:-1, index] - finer) < 0.12 * np.linalg.norm(finer)


def test_one_sided_slopes_predict_a_small_step(model, at):
    step = 0.6 * np.array([1, 1, -1, 1, 1, 1, 1, 1, 1]) * np.array(STEPS)
    change = model.residual(at.moved(step)) - model.residual(at)
    expected = jacobian(model, at, RESTRAINTS, 1.0)[: len(change)] @ step
    assert np.linalg.norm(change - expected) < 0.2 * np.linalg.norm(change)


def test_a_restraint_answers_to_its_own_parameter_alone(slopes):
    expected = np.zeros(len(NAMES))
    expected[NAMES.index("convergence_mrad")] = 1 / 0.28
    np.testing.assert_allclose(slopes[-1], expected, atol=1e-9)


def test_a_pattern_without_blur_has_a_slope_ahead(model, truth):
    """Blur cannot go below zero: the difference is taken on one side."""
    sharp = replace(truth, blur_mrad=0.0)
    column = jacobian(model, sharp, RESTRAINTS, 1.0, central=True)[:-1, NAMES.index("blur_mrad")]
    ahead = model.residual(replace(sharp, blur_mrad=0.05)) - model.residual(sharp)
    np.testing.assert_allclose(column, ahead / 0.05, atol=1e-12)


def test_rms_of_known_numbers():
    assert rms(np.array([3.0, -4.0, 0.0, 0.0])) == pytest.approx(2.5)
