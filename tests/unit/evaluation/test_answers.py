import json

import numpy as np
import pytest

from pacbed.evaluation.answers import RENDERED, Answer, AnswerBook, Key, column

TRUTH = {"true_thickness_nm": 20.0, "true_mistilt_mrad": 1.0, "true_scale": 0.98, "convergence_mrad": 13.5}
FULL = Answer(
    RENDERED, 0.1, None, 3, "networks", **TRUTH, thickness_nm=21.0, thickness_std_nm=0.5,
    interval_90_nm=(20.2, 21.8), candidates_nm=(21.0, 35.0, 19.5), mistilt_mrad=0.7, scale=1.029, verdict="ok",
)  # fmt: skip
EMPTY = Answer(RENDERED, 0.0, 1e4, 4, "match", **TRUTH)


def test_errors_of_an_answer():
    assert FULL.thickness_error_nm == 1.0
    assert FULL.candidate_error_nm == 0.5
    assert FULL.mistilt_error_mrad == pytest.approx(-0.3)
    assert FULL.scale_error_percent == pytest.approx(5.0)
    assert FULL.key == Key("rendered", "0.1", 3, "networks")
    assert EMPTY.key == Key("rendered", "1e4 e", 4, "match")
    for name in ("thickness_error_nm", "candidate_error_nm", "mistilt_error_mrad", "scale_error_percent"):
        assert getattr(EMPTY, name) is None
    np.testing.assert_equal(column([FULL, EMPTY], "thickness_error_nm"), [1.0, np.nan])


def test_a_book_goes_on_where_it_stopped(tmp_path):
    file = tmp_path / "new" / "answers.jsonl"
    AnswerBook(file, {"seed": 1}).add([FULL])
    book = AnswerBook(file, {"seed": 1})
    assert book.answers == {FULL.key: FULL}
    assert FULL.key in book and EMPTY.key not in book
    book.add([EMPTY])
    assert list(AnswerBook(file, {"seed": 1}).answers.values()) == [FULL, EMPTY]


def test_half_a_line_of_a_killed_run_is_dropped(tmp_path):
    file = tmp_path / "answers.jsonl"
    AnswerBook(file, {"seed": 1}).add([FULL, EMPTY])
    text = file.read_text()
    file.write_text(text[:-20])
    book = AnswerBook(file, {"seed": 1})
    assert list(book.answers) == [FULL.key]
    book.add([EMPTY])
    assert file.read_text() == text


def test_answers_to_other_questions_are_forgotten(tmp_path):
    file = tmp_path / "answers.jsonl"
    AnswerBook(file, {"seed": 1}).add([FULL])
    assert not AnswerBook(file, {"seed": 2}).answers
    assert json.loads(file.read_text()) == {"made_for": {"seed": 2}}
