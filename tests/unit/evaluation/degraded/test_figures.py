import pytest

from pacbed.evaluation.degraded.answers import Found, Row
from pacbed.evaluation.degraded.figures import ALONE, REFINED, figures, halves, judged


def row(number, *, true=20.0, value=20.2, verdict="ok", kind="ordinary", electrons=2e5, tilt=(0.0, 0.0), alone=None):
    bar = None if value is None else (value - 0.5, value + 0.5)
    found = Found(verdict, (), value, 0.3, bar, tilt, 0.1, 0.05, cpu_s=0.6)
    return Row(number, kind, 0, true, (0.0, 0.0), electrons, 1.0, {}, found, alone)


ROWS = [
    row(0),
    row(1, value=20.8, verdict="doubtful"),
    row(2, value=25.0),
    row(3, value=None, verdict="error", electrons=5e6),
    row(4, kind="vacuum", value=12.0, verdict="refused"),
    row(5, kind="vacuum", value=12.0, tilt=(1.0, 0.0)),
    row(6, kind="vacuum", tilt=(0.3, 0.3)),
]


def test_shares_of_what_is_right_ok_and_covered():
    found = figures(ROWS, REFINED)
    assert (found["patterns"], found["ordinary"], found["ok"]) == (7, 4, 4)
    assert found["right_of_ok"] == 0.5
    assert found["right_of_ok_ordinary"] == 0.5
    assert found["right_of_all_ordinary"] == 0.5
    assert found["not_ok_ordinary"] == 0.5
    assert found["not_ok_of_right_ordinary"] == 0.5
    assert found["mistilt_of_ok"] == 0.75
    assert found["coverage_90"] == pytest.approx(1 / 3)  # the answer without a bar does not count
    assert found["coverage_90_by_electrons"] == {"1e5": {"patterns": 3, "coverage_90": pytest.approx(1 / 3)}}
    assert found["misfit_of_right"] == {"5": 0.1, "50": 0.1, "95": 0.1}
    assert found["cpu_s"] == 0.6


def test_every_kind_is_counted_by_itself():
    kinds = figures(ROWS, REFINED)["kinds"]
    assert kinds["vacuum"] == {
        "patterns": 3,
        "right_ok": 1,
        "right_not_ok": 0,
        "wrong_not_ok": 1,
        "wrong_ok": 1,
        "covered_of_ok": 1,
    }
    assert kinds["ordinary"]["right_not_ok"] == 1
    assert sum(kinds["ordinary"][key] for key in ("right_ok", "right_not_ok", "wrong_not_ok", "wrong_ok")) == 4


def test_halves_are_even_and_odd():
    even, odd = halves(ROWS)
    assert [one.number for one in even] == [0, 2, 4, 6]
    assert [one.number for one in odd] == [1, 3, 5]


def test_a_method_that_was_not_asked_has_no_figures():
    empty = figures(ROWS, ALONE)
    assert (empty["patterns"], empty["right_of_ok"], empty["cpu_s"], empty["kinds"]) == (0, None, None, {})
    (one,) = judged([ROWS[0], row(8, alone=Found("ok", (), 30.0))], ALONE)
    assert one.wrong_ok and one.covered is None and one.mistilt_error_mrad is None
