from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import NAMES, Displacement
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.fit.sensitivity import MOVING, STEPS, jacobian, residuals, rms

RESTRAINTS = Restraints(14.0, 0.28, ellipse_std_percent=None)
AWAY = Displacement(-0.45, 0.12, -0.12, 0.15, 0.15, 0.6, 1.2, -0.06, 0.03)


@pytest.fixture(scope="module")
def at(truth):
    return truth.moved(AWAY)


@pytest.fixture(scope="module")
def slopes(model, at):
    return jacobian(model, at, RESTRAINTS, 1.0)


def test_residuals_end_with_the_restraints(model, at):
    found = residuals(model, at, RESTRAINTS, 0.5)
    np.testing.assert_array_equal(found[:-1], model.residual(at))
    assert found[-1] == pytest.approx(0.5 * (at.convergence_mrad - 14.0) / 0.28)


def differences(model, at, index):
    """Central differences of the residuals themselves, over half the step ahead of the slopes."""
    step = STEPS[index] / 2 * np.eye(len(NAMES))[index]
    return (model.residual(at.moved(step)) - model.residual(at.moved(-step))) / (2 * step.max())


@pytest.mark.parametrize("name", NAMES)
def test_slopes_agree_with_differences_of_the_residuals(model, truth, name):
    """Near the bottom, where the projection is all; the aperture's edge has kinks of a pixel's width."""
    at, index = truth.moved([0.1, 0.05, 0, 0, 0, 0, 0, 0, 0]), NAMES.index(name)
    slopes, direct = jacobian(model, at, RESTRAINTS, 1.0)[:-1, index], differences(model, at, index)
    assert np.linalg.norm(slopes - direct) < 0.2 * np.linalg.norm(direct)


@pytest.mark.parametrize("name", NAMES)
def test_slopes_lead_downhill_as_steeply_as_the_sum_of_squares_falls(model, at, slopes, name):
    """Away from the bottom as well, where the columns alone are not the whole derivative."""
    index, residual = NAMES.index(name), model.residual(at)
    direct = float(residual @ differences(model, at, index))
    assert residual @ slopes[:-1, index] == pytest.approx(
        direct, abs=0.05 * np.linalg.norm(residual) * np.linalg.norm(slopes[:-1, index])
    )


@pytest.mark.parametrize("name", ["ellipse_plus_percent", "ellipse_cross_percent"])
def test_an_ellipse_bends_the_pattern_the_way_its_slope_says(model, truth, name):
    """About an ellipse that is there already, and turned."""
    bent, index = replace(truth, blur_mrad=1.2, ellipse_percent=(2.5, -2.0)), NAMES.index(name)
    slope = jacobian(model, bent, RESTRAINTS, 1.0, quick=True)[:-1, index]
    assert np.linalg.norm(slope - differences(model, bent, index)) < 0.25 * np.linalg.norm(slope)


@pytest.mark.parametrize("name", MOVING)
def test_the_gradient_of_a_smooth_pattern_tells_what_moving_it_does(model, truth, name):
    smooth, index = replace(truth, blur_mrad=1.2), NAMES.index(name)
    quick, rendered = (jacobian(model, smooth, RESTRAINTS, 1.0, quick=way)[:-1, index] for way in (True, False))
    assert np.linalg.norm(quick - rendered) < 0.25 * np.linalg.norm(rendered)


def test_the_gradient_of_a_mirrored_pattern_turns_the_other_way(tiny_bundle, model, truth):
    smooth = replace(truth, blur_mrad=1.2)
    mirrored = ForwardModel(tiny_bundle.renderer, model.cutout, mirrored=True)
    for name in MOVING:
        index = NAMES.index(name)
        quick, rendered = (jacobian(mirrored, smooth, RESTRAINTS, 1.0, quick=way)[:-1, index] for way in (True, False))
        assert np.linalg.norm(quick - rendered) < 0.25 * np.linalg.norm(rendered)


def test_quick_slopes_need_five_rendered_patterns(tiny_bundle, model, truth):
    class Counting:
        def __init__(self, renderer):
            self.mistilt_max_mrad, self._renderer, self.patterns = renderer.mistilt_max_mrad, renderer, 0

        def render(self, **settings):
            self.patterns += 1
            return self._renderer.render(**settings)

    counting = Counting(tiny_bundle.renderer)
    jacobian(ForwardModel(counting, model.cutout), truth, RESTRAINTS, 1.0, quick=True)
    assert counting.patterns == 5


def test_one_sided_slopes_predict_a_small_step(model, at):
    step = 0.6 * np.array([1, 1, -1, 1, 1, 1, 1, 1, 1, -1, -1]) * np.array(STEPS)
    change = model.residual(at.moved(step)) - model.residual(at)
    expected = jacobian(model, at, RESTRAINTS, 1.0)[: len(change)] @ step
    assert np.linalg.norm(change - expected) < 0.2 * np.linalg.norm(change)


def test_a_restraint_answers_to_its_own_parameter_alone(slopes):
    expected = np.zeros(len(NAMES))
    expected[NAMES.index("convergence_mrad")] = 1 / 0.28
    np.testing.assert_allclose(slopes[-1], expected, atol=1e-9)


def test_a_pattern_without_blur_has_slopes(model, truth):
    """Blur cannot go below zero: the difference is taken ahead."""
    slopes = jacobian(model, replace(truth, blur_mrad=0.0), RESTRAINTS, 1.0)
    assert np.isfinite(slopes).all()


def test_rms_of_known_numbers():
    assert rms(np.array([3.0, -4.0, 0.0, 0.0])) == pytest.approx(2.5)
