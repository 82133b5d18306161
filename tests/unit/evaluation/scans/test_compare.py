import numpy as np
import pytest

from pacbed.analysis.maps.stored import ThicknessMap
from pacbed.analysis.maps.windows import Place
from pacbed.evaluation.scans.compare import against_full_fits, against_truth
from pacbed.evaluation.scans.wedge import Wedge


@pytest.fixture
def wedge():
    """Four positions: three of a crystal, one without."""
    kind = np.array([[0, 0], [0, 1]], np.uint8)
    thickness = np.array([[10.0, 20.0], [30.0, np.nan]])
    return Wedge(np.zeros((2, 2, 4, 4), np.uint16), kind, thickness, np.zeros((2, 2, 2)), np.zeros((2, 2, 2)))


def found(*error, std=0.2):
    thickness = np.array([[10.0, 20.0], [30.0, np.nan]]) + np.array([*error, 0.0]).reshape(2, 2)
    known = {"thickness_nm": thickness, "thickness_std_statistical_nm": np.full((2, 2), std)}
    tilts = {"mistilt_x_mrad": np.full((2, 2), 0.3), "mistilt_y_mrad": np.full((2, 2), 0.4)}
    return ThicknessMap.of(np.array([[0, 0], [1, 4]], np.uint8), known | tilts)


def test_errors_are_counted_where_there_is_a_crystal(wedge):
    figures = against_truth(found(0.1, -0.3, 5.0), wedge)
    assert figures["windows"] == 3 and figures["far"] == 1
    assert figures["error_nm"]["p50"] == pytest.approx(0.3) and figures["error_nm"]["p100"] == pytest.approx(5.0)
    assert figures["covered_90"] == pytest.approx(2 / 3)
    assert figures["tilt_error_mrad"]["p50"] == pytest.approx(0.5)
    assert figures["verdicts"] == {"crystal": {"ok": 2, "doubtful": 1}, "hole": {"vacuum": 1}, "grain": {}}


def test_a_window_without_a_thickness_is_far_off(wedge):
    assert against_truth(found(0.1, np.nan, 0.0), wedge)["far"] == 1


def test_agreement_is_in_standard_deviations_of_the_full_fits():
    places = [Place(0, 0), Place(0, 1), Place(1, 0)]
    full = ThicknessMap.of(
        np.zeros((1, 3), np.uint8),
        {
            "thickness_nm": np.array([[10.1, 20.6, 33.0]]),
            "thickness_std_statistical_nm": np.array([[0.2, 0.3, 0.1]]),
        },
    )
    figures = against_full_fits(found(0, 0, 0), places, full)
    assert figures["within_1_std"] == pytest.approx(1 / 3) and figures["within_2.5_std"] == pytest.approx(2 / 3)
    assert figures["far"] == 1 and figures["largest_nm"] == pytest.approx(3.0)
