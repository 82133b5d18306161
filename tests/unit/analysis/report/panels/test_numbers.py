import pytest

from pacbed.analysis.estimates import estimate
from pacbed.analysis.report.panels.numbers import LINE, numbers
from pacbed.analysis.result import Alternative, BeamShares

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


def test_all_that_can_be_said_of_a_pattern_has_room_above_the_conventions(analysis):
    beam = BeamShares(
        source="v.tif", recorded_share=0.91, fitted_share=0.85, expected_share=(0.842, 0.957), std_relative=0.05,
        radius_px=35.0, ellipse_percent=(0.1, 0.2), edge_px=1.0, shading_percent=(1.0, 2.0),
    )  # fmt: skip
    result = analysis.result.model_copy(update={"polarity": OTHER, "hand": OTHER, "beam": beam, "mirrored": True})
    said = [line for line in numbers(result) if line.text]
    assert LINE * len(said) < 1.06
    assert dict(said)["beam"] == "91 % of it in the circle, 84 to 96 % expected"
    assert ", blur " in dict(said)["pixel"]


def test_the_ellipse_is_given_as_the_ratio_of_its_axes(analysis):
    parts = {"ellipse_plus_percent": estimate(3.0, 0.1), "ellipse_cross_percent": estimate(-4.0, 0.1)}
    assert text(analysis.result.model_copy(update=parts), "convergence").endswith(", ellipse 1.105 : 1")


def test_a_mirrored_image_is_named_beside_its_rotation(analysis):
    result = analysis.result.model_copy(update={"mirrored": True})
    assert text(result, "rotation").endswith("modulo 90°, mirrored")
