"""Recent results: made once, forgotten in order, the same for all threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from pacbed.bundle.reader import RecentResults


def test_a_result_is_made_once_per_key():
    recent, made = RecentResults(3), []

    def square(number):
        return recent.get(number, lambda: made.append(number) or number**2)

    assert [square(number) for number in (1, 2, 1, 3, 2, 1)] == [1, 4, 1, 9, 4, 1]
    assert made == [1, 2, 3]


def test_what_was_not_used_for_longest_is_forgotten_first():
    recent, made = RecentResults(2), []
    for key in ("a", "b", "a", "c", "a", "b"):
        recent.get(key, lambda key=key: made.append(key))
    assert made == ["a", "b", "c", "b"]


def test_a_failure_is_not_kept():
    recent = RecentResults(2)
    with pytest.raises(ZeroDivisionError):
        recent.get("a", lambda: 1 / 0)
    assert recent.get("a", lambda: 5) == 5


def test_none_is_a_result():
    recent, made = RecentResults(2), []
    for _ in range(3):
        assert recent.get("a", lambda: made.append(1)) is None
    assert made == [1]


def test_one_result_may_need_another():
    recent = RecentResults(3)
    assert recent.get("outer", lambda: recent.get("inner", lambda: 2) + 1) == 3


def test_threads_share_what_one_of_them_makes():
    recent, made, together = RecentResults(3), [], Barrier(4)

    def ask(_):
        together.wait()
        return recent.get("library", lambda: made.append(1) or object())

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert len(made) == 1
    assert all(answer is answers[0] for answer in answers)
