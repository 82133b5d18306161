from dataclasses import FrozenInstanceError

import pytest

from pacbed.analysis.options import DEFAULT_OPTIONS, PredictOptions
from pacbed.analysis.recording.metadata import Calibration
from pacbed.errors import PatternError

STATED = Calibration(pixel_mrad=0.4, energy_kev=200.0, convergence_mrad=13.6)


def test_what_the_file_states_fills_what_is_left_open():
    known = PredictOptions(convergence_mrad=14.0, mirrored=True, refine=False, dataset="film").or_stated(STATED)
    assert known == PredictOptions(14.0, 200.0, 0.4, "film", mirrored=True, refine=False)


def test_what_neither_says_stays_open():
    assert DEFAULT_OPTIONS.or_stated(Calibration(energy_kev=80.0)) == PredictOptions(energy_kev=80.0)


def test_zero_is_said_and_not_left_open():
    """A wrong value is refused later; it does not give way to the file's."""
    assert PredictOptions(pixel_mrad=0.0).or_stated(STATED).pixel_mrad == 0.0


def test_options_do_not_change_under_way():
    with pytest.raises(FrozenInstanceError):
        DEFAULT_OPTIONS.refine = False


def test_options_can_be_compared_and_read():
    assert PredictOptions(convergence_mrad=14.0) == PredictOptions(14.0)
    assert "convergence_mrad=14.0" in repr(PredictOptions(14.0))


def test_a_pixel_in_inverse_nanometres_waits_for_an_energy():
    stated = Calibration(pixel_per_nm=0.16)
    assert DEFAULT_OPTIONS.or_stated(stated).pixel_mrad is None
    assert DEFAULT_OPTIONS.or_stated(stated, 200.0) == PredictOptions(pixel_mrad=pytest.approx(0.4013, abs=1e-4))
    told = PredictOptions(energy_kev=300.0).or_stated(Calibration(0.4013, 200.0, pixel_per_nm=0.16), 80.0)
    assert (told.pixel_mrad, told.energy_kev) == (pytest.approx(0.3150, abs=1e-4), 300.0)


def test_a_pixel_that_cannot_be_used_is_asked_for_unless_given():
    stated = Calibration(trouble="0.3 mrad by 0.2 mrad, which is not square within 5 %")
    with pytest.raises(PatternError, match=r"pixel_mrad: got none, and the file states 0\.3 mrad by .*, accepted: a"):
        DEFAULT_OPTIONS.or_stated(stated)
    assert PredictOptions(pixel_mrad=0.25).or_stated(stated).pixel_mrad == 0.25
