import pytest

from pacbed.analysis.report.panels.numbers import numbers
from pacbed.analysis.result import Alternative

OTHER = Alternative(thickness_nm=8.3, rotation_deg=12.0, mirrored=True, misfit_ratio=1.27, decided=True)


def text(result, name):
    return dict(numbers(result))[name]


def test_orientations_that_cannot_be_told_apart_are_not_mentioned(analysis):
    assert text(analysis.result, "polarity") == text(analysis.result, "hand") == ""
    assert "mirrored" not in text(analysis.result, "rotation")


@pytest.mark.parametrize("decided", [True, False])
def test_polarity_and_hand_come_with_their_evidence(analysis, decided):
    other = OTHER.model_copy(update={"decided": decided})
    result = analysis.result.model_copy(update={"polarity": other, "hand": other, "mirrored": False})
    word = "decided" if decided else "undecided"
    assert text(result, "polarity") == f"{word}: turned by 180°, 1.27 times the misfit, 8.3 nm"
    assert text(result, "hand") == f"{word}: mirrored, 1.27 times the misfit, 8.3 nm"


def test_a_mirrored_image_is_named_beside_its_rotation(analysis):
    result = analysis.result.model_copy(update={"mirrored": True})
    assert text(result, "rotation").endswith("modulo 90°, mirrored")
