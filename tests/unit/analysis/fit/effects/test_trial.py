from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.effects.effect import Effect
from pacbed.analysis.fit.effects.refit import Place
from pacbed.analysis.fit.effects.shading import Shading
from pacbed.analysis.fit.effects.thickness_spread import SHAPE, ThicknessSpread
from pacbed.analysis.fit.effects.tilt_spread import TiltSpread
from pacbed.analysis.fit.effects.trial import Fitted, Trial, _above_zero, try_effect
from pacbed.analysis.fit.effects.vacuum import Vacuum
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.restraints import Restraints
from pacbed.outline import Outline

RESTRAINTS = Restraints(14.0, 0.28)


@pytest.mark.parametrize(("middle", "spread"), [(2.0, 0.5), (0.0, 1.0), (-0.5, 1.0), (-3.0, 1.0)])
def test_what_is_left_of_a_distribution_below_zero(middle, spread):
    drawn = middle + spread * np.random.default_rng(0).standard_normal(4_000_000)
    expected = _above_zero(middle, spread)
    assert expected.mean == pytest.approx(np.mean(drawn[drawn > 0]), rel=0.05)
    assert expected.mean_square == pytest.approx(np.mean(drawn[drawn > 0] ** 2), rel=0.1)


def test_an_effect_far_excluded_adds_nothing():
    assert _above_zero(-30.0, 1.0).mean_square < 0.01


def test_a_spread_of_thickness_leaves_its_mean_open(fitted):
    """By its own size where it is seen, and the more where it may be there, the fewer electrons there are."""
    seen = try_effect(fitted("thickness_spread", 0.15), ThicknessSpread())
    size = seen.effect.size(seen.place.amounts)
    assert seen.thickness_std_nm > 0.9 * SHAPE * size * seen.place.at.thickness_nm > 0.3
    few, many = (try_effect(fitted("none", electrons=dose), ThicknessSpread()) for dose in (3e5, 2e7))
    assert few.thickness_std_nm > many.thickness_std_nm > 0


@pytest.mark.parametrize("effect", [Vacuum(), TiltSpread(), Shading()], ids=lambda effect: effect.name)
def test_a_clean_pattern_has_no_effect(fitted, effect: Effect):
    found = fitted("none")
    trial = try_effect(found, effect)
    assert trial.merit < 0.5
    assert abs(trial.shift_nm) < 0.1
    assert trial.thickness_std_nm < 0.15


def test_a_start_elsewhere_leads_out_of_a_wrong_place(fitted, truth):
    """Fitted as a single tilt from 3 nm, tilts that spread by 1.5 mrad stay there; from the truth they lead there."""
    found = fitted("tilt_spread", 1.5)
    lost = Fitted.of(found.model, found.model, replace(found.at, thickness_nm=3.0), found.problem.restraints)
    stayed, led = (try_effect(lost, TiltSpread(), starts) for starts in ((), (truth,)))
    assert abs(stayed.place.at.thickness_nm - truth.thickness_nm) > 1.5
    assert led.place.at.thickness_nm == pytest.approx(truth.thickness_nm, abs=0.3)
    assert led.gain > stayed.gain + 0.2


def test_vacuum_widens_the_bar_of_a_noisy_thin_crystal(fitted):
    few, many = (try_effect(fitted("none", electrons=dose), Vacuum()) for dose in (3e5, 2e7))
    assert few.thickness_std_nm > 2 * many.thickness_std_nm


def test_a_step_ends_where_the_table_does(tiny_bundle, fitted, truth):
    """From a place near the deepest plane, and with far too much of an effect: a trial, and no error."""
    found = fitted("none")
    deep = replace(found.at, thickness_nm=tiny_bundle.table.thickness_max_nm - 0.11)
    lost = Fitted.of(found.model, found.model, deep, found.problem.restraints)
    for effect in (Vacuum(), TiltSpread(), Shading()):
        one = try_effect(lost, effect)
        assert 0 < one.place.at.thickness_nm <= tiny_bundle.table.thickness_max_nm
        assert np.abs(one.place.amounts).max() <= effect.most


@pytest.mark.parametrize("effect", [TiltSpread(), ThicknessSpread(), Vacuum()], ids=lambda effect: effect.name)
def test_where_no_crystal_is_seen_no_effect_is_either(tiny_bundle, truth, effect):
    """Dark where the crystal's pattern is bright: the best gain is zero."""
    row, column = np.indices((160, 150))
    hole = 1 - np.exp(-((((row - 84.6) ** 2 + (column - 70.3) ** 2) / 35.0**2) ** 4))
    image = np.random.default_rng(1).poisson(50 * hole + 5).astype(np.float32)
    model = ForwardModel(tiny_bundle.renderer, Cutout.around(image, Outline((70.3, 84.6), 35.0, 4.0, 1.0), pixels=60))
    assert model.solve(truth).coefficients[0] == 0
    told = try_effect(Fitted.of(model, model, truth, RESTRAINTS), effect).told(adopted=False)
    assert (told.size, told.held_out_gain, told.thickness_shift_nm, told.thickness_std_nm) == (0, 0, 0, 0)
    assert 0 < told.std <= effect.width


def trial(gain, shift=2.0, std=2.5):
    return Trial(Vacuum(), Place(None, np.array([6.0])), gain, 0.4, shift, std)


def test_what_is_told_is_in_the_units_of_the_size():
    told = trial(0.01).told(adopted=False)
    assert (told.name, told.size, told.std) == ("vacuum", pytest.approx(0.3), pytest.approx(0.02))
    assert (told.widths, told.held_out_gain, told.adopted) == (pytest.approx(6.0), 0.01, False)


def test_the_answer_without_an_effect_counts_the_less_the_more_it_explains():
    """Not adopted, its whole shift is in the error bar; adopted by ten times the least gain, a tenth of it."""
    assert trial(0.001).told(adopted=False).thickness_std_nm == pytest.approx(2.5)
    least = Vacuum().least_gain
    assert trial(least).told(adopted=True).thickness_std_nm == pytest.approx(2.5)
    assert trial(10 * least).told(adopted=True).thickness_std_nm == pytest.approx(np.hypot(0.2, 1.5))
