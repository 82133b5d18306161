import pytest

from pacbed.analysis.fit.effects.blurred_copy import BlurredCopy
from pacbed.analysis.fit.effects.trial import try_effect


def test_smeared_electrons_are_found(fitted):
    trial = try_effect(fitted("blurred_copy", 0.3), BlurredCopy())
    assert BlurredCopy().size(trial.place.amounts) == pytest.approx(0.3, abs=0.06)
    assert trial.merit > 1
    assert trial.place.at.thickness_nm == pytest.approx(8.0, abs=0.15)
    assert trial.place.at.blur_mrad == pytest.approx(0.4, abs=0.15)
