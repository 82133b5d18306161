import pytest

from pacbed.analysis.export.first_guess import FirstGuess
from pacbed.analysis.predict import predict
from pacbed.analysis.result import estimate
from pacbed.errors import ParameterError


@pytest.fixture(scope="module")
def result(tiny_bundle, camera):
    return predict(tiny_bundle, camera(mistilt_mrad=2.0, azimuth_deg=70.0), convergence_mrad=14)


def test_a_result_becomes_a_guess(result):
    guess = FirstGuess.of_result(result)
    assert guess.thickness == result.thickness_nm
    assert guess.tilt_yx_mrad == (-result.mistilt_y_mrad.value, -result.mistilt_x_mrad.value)
    assert result.provenance.bundle in guess.source
    assert (guess.warning == "") == (result.verdict == "ok")


def test_a_doubtful_result_warns_and_a_refused_one_is_none(result):
    doubtful = result.model_copy(update={"verdict": "doubtful", "reasons": ["thin", "noisy"]})
    assert FirstGuess.of_result(doubtful).warning == "doubtful: thin; noisy"
    for update in ({"verdict": "refused"}, {"thickness_nm": None}):
        with pytest.raises(ParameterError, match=r"^result: got .*not refused"):
            FirstGuess.of_result(result.model_copy(update=update))


@pytest.mark.parametrize(
    ("thickness_nm", "slice_nm", "number"), [(30.4, 1.0, 30), (30.6, 1.0, 31), (0.4, 1.0, 1), (30.4, 0.5, 61)]
)
def test_slices_divide_the_crystal(thickness_nm, slice_nm, number):
    slices = FirstGuess(estimate(thickness_nm, 0.2), None, None).slices(slice_nm)
    assert slices.number == number
    assert slices.number * slices.thickness_nm == pytest.approx(thickness_nm)


@pytest.mark.parametrize("slice_nm", [0.0, -1.0, 0.05, 21.0, float("nan"), float("inf")])
def test_slices_that_nobody_uses_are_refused(slice_nm):
    with pytest.raises(ParameterError, match=r"^slice_nm: got .*accepted: a number from 0.1 to 20 \[nm\]$"):
        FirstGuess(estimate(30.0, 0.2), None, None).slices(slice_nm)


def test_a_direction_that_is_not_known_is_no_tilt():
    assert FirstGuess(estimate(30.0, 0.2), None, None).tilt_yx_mrad is None
    assert FirstGuess(estimate(30.0, 0.2), estimate(1.0, 0.1), None).tilt_yx_mrad is None
