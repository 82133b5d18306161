import numpy as np
import pytest

from pacbed.analysis.fit.effects.thickness_spread import NODES, WEIGHTS, ThicknessSpread
from pacbed.analysis.fit.effects.trial import try_effect


def test_few_thicknesses_have_the_moments_of_a_gaussian():
    share = WEIGHTS / WEIGHTS.sum()
    assert [share @ NODES**power for power in range(5)] == pytest.approx([1, 0, 1, 0, 3])


def test_the_model_is_the_mean_over_thicknesses(model, clean, truth):
    effect = ThicknessSpread()
    spread = effect.applied(model, effect.amounts(0.05)).render_sharp(truth)
    drawn = np.random.default_rng(1).standard_normal(200)
    cutout = model.cutout
    plain = [
        model.render_sharp(truth.moved([8 * 0.05 * (d - drawn.mean()) / drawn.std(), *np.zeros(10)])) for d in drawn
    ]
    np.testing.assert_allclose(spread[cutout.mask], np.mean(plain, axis=0)[cutout.mask], rtol=0.01, atol=1e-6)


def test_a_wedge_is_found_or_widens_the_error_bar(fitted):
    """Thin crystals hide a spread: what it may do to the thickness is told all the same."""
    trial = try_effect(fitted("thickness_spread", 0.1), ThicknessSpread())
    assert ThicknessSpread().size(trial.place.amounts) == pytest.approx(0.1, abs=0.06)
    assert trial.thickness_std_nm > 0
