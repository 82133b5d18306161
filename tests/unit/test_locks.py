"""A lock is held by one at a time, says who waits, and dies with its process."""

import signal
import subprocess
import sys
import threading

import pytest

from pacbed.locks import locked

HOLD = """
import sys, time
from pacbed.locks import locked
with locked(sys.argv[1]) as descriptor:
    {inside}
    print("held", flush=True)
    time.sleep(60)
"""
PASS_ON = 'import subprocess; subprocess.Popen(["sleep", "4"], pass_fds=(descriptor,), stdout=subprocess.DEVNULL)'


def holder(path, inside="pass"):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(inside=inside), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "held\n"
    return child


def end(child):
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def test_a_taken_lock_is_an_error_for_who_does_not_wait_and_free_after_a_kill(tmp_path):
    child = holder(tmp_path / "deep" / "lock")
    with pytest.raises(BlockingIOError, match="held by another process"), locked(tmp_path / "deep" / "lock"):
        pass
    end(child)
    with locked(tmp_path / "deep" / "lock"):
        pass


def test_who_waits_is_told_once_and_comes_in_after_the_other(tmp_path):
    order, entered, told = [], threading.Event(), threading.Event()

    def first():
        with locked(tmp_path / "lock"):
            entered.set()
            told.wait(10)
            order.append("first")

    def waiting():
        order.append("waits")
        told.set()

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait(10)
    with locked(tmp_path / "lock", waiting=waiting):
        order.append("second")
    thread.join()
    assert order == ["waits", "first", "second"]


def test_a_child_that_inherits_the_lock_holds_it_after_its_parent_was_killed(tmp_path):
    child = holder(tmp_path / "lock", PASS_ON)
    end(child)
    waits = []
    with locked(tmp_path / "lock", waiting=lambda: waits.append(True)):
        assert waits == [True]
