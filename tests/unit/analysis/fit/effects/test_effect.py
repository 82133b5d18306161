from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.effects.blurred_copy import BlurredCopy
from pacbed.analysis.fit.effects.effect import ChangedModel
from pacbed.analysis.fit.effects.gamma import Gamma
from pacbed.analysis.fit.effects.shading import Shading
from pacbed.analysis.fit.effects.thickness_spread import ThicknessSpread
from pacbed.analysis.fit.effects.thresholds import LEAST_GAIN
from pacbed.analysis.fit.effects.tilt_spread import TiltSpread
from pacbed.analysis.fit.effects.vacuum import Vacuum

EFFECTS = [Vacuum(), TiltSpread(), ThicknessSpread(), BlurredCopy(), Shading(), Gamma()]
each_effect = pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)


def test_every_effect_has_its_threshold():
    assert {effect.name: effect.least_gain for effect in EFFECTS} == dict(LEAST_GAIN)


@each_effect
def test_nothing_of_an_effect_changes_nothing(effect, model, truth):
    none = effect.applied(model, np.zeros(effect.parts)).residual(truth)
    np.testing.assert_allclose(none, model.residual(truth), atol=2e-6)


@each_effect
def test_much_of_an_effect_changes_the_residual(effect, model, truth):
    some = effect.applied(model, np.ones(effect.parts)).residual(truth)
    assert np.linalg.norm(some - model.residual(truth)) > 0.05 * np.linalg.norm(model.residual(truth))


@each_effect
def test_sizes_and_amounts_are_one_another(effect):
    for size in (*effect.sizes, effect.largest):
        assert effect.size(effect.amounts(size)) == pytest.approx(size)
    assert effect.deviations(effect.amounts(effect.largest)).shape == (effect.parts,)
    assert np.abs(effect.amounts(effect.largest)).max() == pytest.approx(effect.most)


def test_a_spread_counts_by_its_width_and_its_amount_is_a_variance():
    effect = TiltSpread()
    assert effect.amounts(2.0) == pytest.approx([4.0])
    assert effect.deviations(np.array([4.0])) == pytest.approx([2.0])
    assert effect.deviations(np.array([-1.0])) == pytest.approx([0.0])


def test_effects_come_on_top_of_each_other(model, truth):
    """Shaded after the hole, as a camera does it: both at once, in either order of asking."""
    vacuum, shading = Vacuum().amounts(0.3), np.array([2.0, -1.0])
    one = Shading().applied(Vacuum().applied(model, vacuum), shading)
    other = Vacuum().applied(Shading().applied(model, shading), vacuum)
    assert np.linalg.norm(one.residual(truth) - model.residual(truth)) > 0.1
    inside = one.render_sharp(truth) / Shading().applied(model, shading).render_sharp(truth)
    plain = Vacuum().applied(model, vacuum).render_sharp(truth) / model.render_sharp(truth)
    np.testing.assert_allclose(inside[20:40, 20:40], plain[20:40, 20:40], rtol=1e-4)
    assert isinstance(other, ChangedModel)


def test_a_changed_model_leaves_the_model_alone(model, truth):
    before = model.residual(truth).copy()
    changed = ChangedModel(model, lambda inner, at: 2 * inner.render_sharp(at) ** 2)
    assert np.linalg.norm(changed.residual(replace(truth, blur_mrad=0.5))) > 0
    np.testing.assert_array_equal(model.residual(truth), before)
