import numpy as np
import pytest

from pacbed.analysis.fit.effects.linear import FOLDS, NO_EFFECT, SECTORS, LinearProblem, Prior
from pacbed.analysis.fit.parameters import NAMES
from pacbed.analysis.fit.refinement import fit
from pacbed.analysis.fit.restraints import Restraints

FREE = Restraints(14.0, ellipse_std_percent=None)


@pytest.fixture(scope="module")
def bottom(model, truth):
    return fit(model, truth, FREE, steps=12).parameters


def none_further(model):
    return np.zeros((len(model.weights), 0))


def test_the_bottom_is_where_it_is(model, bottom):
    step = LinearProblem(model, bottom, FREE).step(bottom, model.residual(bottom), none_further(model), NO_EFFECT)
    assert abs(step.change[0]) < 0.02
    assert np.sqrt(step.covariance[0, 0]) < 0.1


def test_a_step_from_nearby_leads_to_the_bottom(model, bottom):
    at = bottom.moved(0.5 * np.array([0.6, 0.05, -0.05, 0.05, 0.05, 0.3, 0.5, 0.0, 0.0, 0.2, 0.2]))
    step = LinearProblem(model, at, FREE).step(at, model.residual(at), none_further(model), NO_EFFECT)
    end = at.moved(step.change[: len(NAMES)])
    assert end.thickness_nm == pytest.approx(bottom.thickness_nm, abs=0.12)
    assert end.ellipse_percent == pytest.approx(bottom.ellipse_percent, abs=0.05)
    assert np.linalg.norm(model.residual(end)) < 1.02 * np.linalg.norm(model.residual(bottom))


def test_held_out_sectors_are_judged_by_the_others(model, bottom):
    """Noise is no easier to predict than to fit; the model fits sectors that it was not fitted to nearly as well."""
    residual = model.residual(bottom)
    step = LinearProblem(model, bottom, FREE).step(bottom, residual, none_further(model), NO_EFFECT)
    assert np.linalg.norm(residual) < step.held_out < 1.1 * np.linalg.norm(residual)


def test_a_column_of_noise_gains_nothing_and_a_missing_one_much(model, bottom):
    """The column that the residual is made of lowers the held-out residual by its share; any other does not."""
    rng = np.random.default_rng(2)
    problem, residual = LinearProblem(model, bottom, FREE), model.residual(bottom)
    base = problem.step(bottom, residual, none_further(model), NO_EFFECT).held_out
    noise = rng.standard_normal((len(residual), 1)) * residual.std()
    weak = Prior(np.array([1e-6]), np.zeros(1))
    assert problem.step(bottom, residual, noise, weak).held_out > 0.998 * base
    missing = problem.step(bottom, residual + 2 * noise[:, 0], noise, weak)
    assert missing.change[-1] == pytest.approx(2.0, abs=0.2)
    assert missing.held_out < 1.02 * base
    tight = Prior(np.array([1e9]), np.zeros(1))
    assert abs(problem.step(bottom, residual + 2 * noise[:, 0], noise, tight).change[-1]) < 0.01


def test_sectors_take_turns(model, bottom):
    order, starts = LinearProblem(model, bottom, FREE)._folds
    assert starts.tolist()[0] == 0 and starts.tolist()[-1] == len(order) == model.cutout.mask.sum()
    assert np.ptp(np.diff(starts)) < 0.2 * np.diff(starts).mean()
    assert sorted(order.tolist()) == list(range(len(order)))
    assert SECTORS % FOLDS == 0
