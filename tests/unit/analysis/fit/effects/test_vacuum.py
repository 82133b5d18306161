import numpy as np
import pytest

from pacbed.analysis.fit.effects.trial import try_effect
from pacbed.analysis.fit.effects.vacuum import Vacuum


def test_the_disk_is_flat_and_the_share_is_that_of_the_beam(model, truth):
    whole = Vacuum().applied(model, Vacuum().amounts(1.0)).render_sharp(truth)
    bright = whole[whole > 0.5 * whole.max()]
    assert bright.min() > 0.9 * bright.max() or np.percentile(bright, 10) > 0.99 * bright.max()
    area = np.pi * (14.0 / (0.4 * model.cutout.factor)) ** 2  # pixels of the aperture
    assert bright.mean() == pytest.approx(1 / area, rel=0.02)
    half = Vacuum().applied(model, Vacuum().amounts(0.5)).render_sharp(truth)
    np.testing.assert_allclose(half, (whole + model.render_sharp(truth)) / 2, rtol=1e-5, atol=1e-9)


def test_a_hole_is_found_and_the_thickness_comes_back(fitted):
    found = fitted("vacuum", 0.2)
    assert found.at.thickness_nm < 7.7, "unnoticed, vacuum makes the crystal thin"
    trial = try_effect(found, Vacuum())
    assert Vacuum().size(trial.place.amounts) == pytest.approx(0.2, abs=0.03)
    assert found.at.thickness_nm + trial.shift_nm == pytest.approx(8.0, abs=0.2)
    assert trial.merit > 1


def test_a_start_of_its_own_leads_to_a_hole_as_well(fitted, truth):
    found = fitted("vacuum", 0.2)
    trial = try_effect(found, Vacuum(), [truth])
    assert trial.place.at.thickness_nm == pytest.approx(8.0, abs=0.2)
