"""Turns: bounded, and fair between those who ask."""

import anyio
import pytest

from pacbed.service.problems import ServiceError
from pacbed.service.workers.turns import Turns


def test_many_of_one_do_not_crowd_out_another():
    order = []

    async def ask(turns, owner, number):
        async with turns.turn(owner):
            order.append((owner, number))
            await anyio.sleep(0.001)

    async def run():
        turns = Turns(1, 100)
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(ask, turns, "many", number)
            await anyio.sleep(0)
            group.start_soon(ask, turns, "one", 0)
            group.start_soon(ask, turns, "two", 0)
        assert (turns.waiting, turns.running) == (0, 0)

    anyio.run(run)
    assert len(order) == 22
    assert max(order.index(("one", 0)), order.index(("two", 0))) <= 4
    assert [number for owner, number in order if owner == "many"] == list(range(20))


def test_the_queue_is_bounded_and_says_when_to_come_again():
    async def run():
        turns = Turns(1, 2)
        async with anyio.create_task_group() as group, turns.turn("a"):
            for _ in range(2):
                group.start_soon(_hold, turns)
            await anyio.sleep(0.01)
            assert (turns.waiting, turns.running) == (2, 1) and sum(turns.waiting_by_owner.values()) == 2
            with pytest.raises(ServiceError) as caught:
                async with turns.turn("b"):
                    pass
            assert caught.value.status == 503 and caught.value.retry_s >= 1
        assert (turns.waiting, turns.running) == (0, 0)

    async def _hold(turns):
        async with turns.turn("a"):
            pass

    anyio.run(run)


def test_who_gives_up_leaves_the_queue():
    async def run():
        turns = Turns(1, 5)
        async with turns.turn("a"):
            with anyio.move_on_after(0.01):
                async with turns.turn("b"):
                    pytest.fail("nobody has left")
            assert turns.waiting == 0
        async with turns.turn("c"):
            assert turns.running == 1
        assert turns.running == 0

    anyio.run(run)


def test_an_error_gives_the_place_back():
    async def run():
        turns = Turns(1, 5)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with turns.turn("a"):
                    raise ZeroDivisionError
        assert turns.running == 0

    anyio.run(run)
