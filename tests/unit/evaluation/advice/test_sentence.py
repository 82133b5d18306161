import numpy as np
import pytest

from pacbed.evaluation.advice.sentence import advice_lines, best_sentence


def test_the_sentence_names_the_best_angle_its_promise_and_the_worst(advice):
    assert best_sentence(advice()) == (
        "Best convergence angle for 5 to 50 nm: 12.0 mrad, with an expected thickness error of 1 nm (noise 1, model "
        "0.1); the worst, 14.0 mrad, would have 4 nm, 4 times as much (noise 4 times as much)."
    )


def test_a_model_error_makes_angles_alike_and_that_is_said(advice):
    lines = list(advice_lines(advice(model=30.0)))
    assert "would have 30 nm, 0.83 % more (noise 4 times as much)." in lines[0]
    assert "hardly matters" in lines[1]
    assert not any("hardly matters" in line for line in advice_lines(advice()))


def test_angles_that_tell_nothing_are_named(advice):
    assert best_sentence(advice(noise=(2.0, 1.0, np.inf))).endswith(
        "the worst, 14.0 mrad, would have patterns that do not tell the thickness."
    )


def test_every_angle_has_a_line_and_the_criterion_is_stated(advice):
    lines = list(advice_lines(advice()))
    assert "root mean squares over 4 thicknesses and mistilts of 0 and 2 mrad, with 1e+05 electrons" in lines[2]
    assert [line.split()[0] for line in lines[4:]] == ["10.0", "12.0", "14.0"]
    assert [line.endswith("best") for line in lines[4:]] == [False, True, False]
    assert lines[1] == "The mistilt is told best at 14.0 mrad, to 1 mrad."
    assert float(lines[5].split()[1]) == pytest.approx(np.hypot(1.0, 0.1), rel=0.02)
