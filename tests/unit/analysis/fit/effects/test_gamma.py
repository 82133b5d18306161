from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.effects.gamma import Gamma
from pacbed.analysis.fit.effects.trial import try_effect


def test_a_picture_for_the_eye_is_undone(fitted):
    trial = try_effect(fitted("gamma", 0.6), Gamma())
    assert Gamma().size(trial.place.amounts) == pytest.approx(0.6, abs=0.03)
    assert trial.merit > 1
    assert trial.place.at.thickness_nm == pytest.approx(8.0, abs=0.15)


def test_the_counts_come_back_and_their_residual_is_in_grey_levels(model, truth):
    """Of a picture that was made with gamma 0.5; the weights are the slope of the grey levels."""
    cutout = model.cutout
    counts = (cutout.values - cutout.zero) / (1 - cutout.zero)
    grey = np.sqrt(np.maximum(counts, 0))
    picture = model.seeing(type(cutout)(grey, cutout.mask, cutout.factor, cutout.origin_px, cutout.background))
    undone = Gamma().applied(picture, Gamma().amounts(0.5))
    np.testing.assert_allclose(undone.cutout.values, np.maximum(counts, 0), atol=1e-5)
    residual = undone.residual(truth)
    seen = grey[cutout.mask] - np.sqrt(np.maximum(undone.image(truth)[cutout.mask], 0))
    bright = grey[cutout.mask] > 0.4
    assert np.linalg.norm((residual - seen)[bright]) < 0.15 * np.linalg.norm(seen[bright])


def test_a_negative_is_left_as_it_is(model):
    """Nothing in it is brighter than no counts, so that no power of them is known."""
    cutout = model.cutout
    negative = model.seeing(replace(cutout, values=1 - cutout.values, dark=-500.0, bright=0.0))
    assert Gamma().applied(negative, Gamma().amounts(0.5)) is negative
