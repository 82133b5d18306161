import numpy as np
import pytest

from pacbed.analysis.fit.effects.tilt_spread import TiltSpread, gaussian_tilts
from pacbed.analysis.fit.effects.trial import try_effect


@pytest.mark.parametrize("spread", [0.7, 2.5])
def test_few_tilts_have_the_moments_of_a_gaussian(spread):
    tilts, weights = gaussian_tilts(spread)
    assert weights.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(weights @ tilts, 0.0, atol=1e-12)
    np.testing.assert_allclose((tilts.T * weights) @ tilts, spread**2 * np.eye(2), atol=1e-12)
    if spread > 1:
        assert weights @ (tilts**4).sum(axis=1) == pytest.approx(6 * spread**4)


def test_a_bent_foil_is_found(fitted):
    trial = try_effect(fitted("tilt_spread", 1.5), TiltSpread())
    assert TiltSpread().size(trial.place.amounts) == pytest.approx(1.5, abs=0.4)
    assert trial.merit > 1
    assert trial.place.at.thickness_nm == pytest.approx(8.0, abs=0.2)
