"""Ranges, lists and refusals."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pacbed.config.values import MAX_VALUES, Range, ValueList, refuse


@pytest.mark.parametrize(
    ("start", "stop", "step", "expected"),
    [
        (1, 3, 1, [1, 2, 3]),
        (0, 0.3, 0.1, [0, 0.1, 0.2, 0.3]),  # without the dust of 0.1 + 0.2
        (5, 5, 1, [5]),
        (-1, 1, 0.5, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_values_of_a_range(start: float, stop: float, step: float, expected: list[float]) -> None:
    assert Range(start=start, stop=stop, step=step).values() == expected


@pytest.mark.parametrize(
    ("start", "stop", "step"),
    [(3, 1, 1), (0, 1, 0.3), (0, 1, 0), (0, 1, -0.5), (0, MAX_VALUES, 1), (0, float("inf"), 1), (float("nan"), 1, 1)],
)
def test_what_is_no_range_is_refused(start: float, stop: float, step: float) -> None:
    with pytest.raises(ValidationError):
        Range(start=start, stop=stop, step=step)


def test_the_longest_range_is_accepted() -> None:
    assert len(Range(start=1, stop=MAX_VALUES, step=1).values()) == MAX_VALUES


@pytest.mark.parametrize("values", [[], [1, 1], [2, 1], [1, float("nan")], [0, float("inf")], list(range(10_001))])
def test_what_is_no_ascending_list_is_refused(values: list[float]) -> None:
    with pytest.raises(ValidationError):
        ValueList(values)


def test_a_list_hands_out_a_copy() -> None:
    given = ValueList([1, 2])
    given.values().append(3)
    assert given.values() == [1, 2]


def test_a_refusal_carries_place_value_and_what_is_accepted() -> None:
    error = refuse("simulation.blocks", -1, "1 or more")
    assert error.context == {"path": ("simulation", "blocks"), "got": "-1", "accepted": "1 or more"}
    assert error.message() == "accepted: 1 or more"
