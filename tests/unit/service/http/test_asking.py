"""Contexts that are entered beside other requests: left whatever happens, with nothing taken by who went away."""

import threading
import time
from contextlib import contextmanager

import anyio
import pytest

from pacbed.service.http.asking import aside


def test_contexts_are_entered_in_other_threads_and_left_in_reverse():
    seen = []

    @contextmanager
    def one(name):
        seen.append((name, threading.current_thread() is threading.main_thread()))
        yield name
        seen.append(name)

    async def run():
        async with aside(one("a"), one("b")) as entered:
            assert entered == ["a", "b"]

    anyio.run(run)
    assert seen == [("a", False), ("b", False), "b", "a"]


def test_an_error_inside_comes_out_and_one_on_the_way_in_leaves_nothing_taken():
    taken = []

    @contextmanager
    def place():
        taken.append(1)
        try:
            yield
        finally:
            taken.pop()

    @contextmanager
    def refused():
        raise ZeroDivisionError
        yield

    async def run(*contexts):
        async with aside(*contexts):
            raise KeyError

    with pytest.raises(KeyError):
        anyio.run(run, place())
    with pytest.raises(ZeroDivisionError):
        anyio.run(run, place(), refused())
    assert taken == []


def test_who_goes_away_while_the_database_is_waited_for_leaves_nothing_taken():
    taken, inside = [], []

    @contextmanager
    def slow_place():
        time.sleep(0.2)
        taken.append(1)
        try:
            yield
        finally:
            taken.pop()

    async def run():
        with anyio.move_on_after(0.05):
            async with aside(slow_place()):
                await anyio.sleep(0)
                inside.append(1)

    anyio.run(run)
    assert taken == inside == []
