"""Threads that want the same of abTEM share it; others wait; all is as before afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import abtem
import pytest

from pacbed.simulation.scan.abtem_settings import abtem_settings


def test_settings_hold_inside_and_are_undone_outside():
    before = abtem.config.get("antialias.cutoff"), abtem.config.get("precision")
    with abtem_settings({"antialias.cutoff": 0.123}):
        assert abtem.config.get("antialias.cutoff") == 0.123
        assert abtem.config.get("precision") == "float32"
        assert abtem.config.get("diagnostics.progress_bar") is False
    assert (abtem.config.get("antialias.cutoff"), abtem.config.get("precision")) == before


def test_settings_are_undone_after_an_error():
    before = abtem.config.get("antialias.cutoff")
    with pytest.raises(ZeroDivisionError), abtem_settings({"antialias.cutoff": 0.2}):
        raise ZeroDivisionError
    assert abtem.config.get("antialias.cutoff") == before
    with abtem_settings({"antialias.cutoff": 0.3}):  # nobody is thought to be inside still
        assert abtem.config.get("antialias.cutoff") == 0.3


def test_threads_with_the_same_settings_are_inside_together():
    """Each waits inside for the other: they would never meet if one had to wait outside."""
    meeting = Barrier(2, timeout=30)

    def enter():
        with abtem_settings({"antialias.cutoff": 0.4}):
            meeting.wait()
            return abtem.config.get("antialias.cutoff")

    with ThreadPoolExecutor(2) as threads:
        assert [future.result() for future in [threads.submit(enter) for _ in range(2)]] == [0.4, 0.4]


def test_fewer_settings_are_shared_with_those_in_force():
    with abtem_settings({"antialias.cutoff": 0.4}), ThreadPoolExecutor(1) as threads:

        def enter():
            with abtem_settings():
                return abtem.config.get("antialias.cutoff")

        assert threads.submit(enter).result(timeout=30) == 0.4


def test_another_setting_waits_for_its_turn():
    inside, leave, order = Event(), Event(), []

    def first():
        with abtem_settings({"antialias.cutoff": 0.4}):
            inside.set()
            assert leave.wait(timeout=30)
            order.append(abtem.config.get("antialias.cutoff"))

    def second():
        assert inside.wait(timeout=30)
        leave.set()
        with abtem_settings({"antialias.cutoff": 0.5}):
            order.append(abtem.config.get("antialias.cutoff"))

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(first), threads.submit(second)]:
            future.result()
    assert order == [0.4, 0.5]
