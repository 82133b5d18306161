import os
import signal
import subprocess
import sys
import time
from math import factorial

import pytest

from pacbed.analysis.maps.workers import done_by, workers
from pacbed.errors import PacbedError, ParameterError


def test_who_does_the_work_makes_no_difference():
    with workers(1, None) as alone:
        assert alone is None
        assert list(done_by(alone, factorial, [3, 4, 5])) == [6, 24, 120]
    with workers(2, None) as pool:
        assert sorted(done_by(pool, factorial, [3, 4, 5])) == [6, 24, 120]


def test_the_workers_of_a_dask_scheduler_do_it():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        workers(1, cluster.scheduler_address) as executor,
    ):
        assert sorted(done_by(executor, factorial, [3, 4])) == [6, 24]


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("pacbed.schedulers.ANSWER_S", 1)
    with pytest.raises(ParameterError, match=r"scheduler: got 'tcp://127\.0\.0\.1:9'"), workers(1, "tcp://127.0.0.1:9"):
        pass


def test_a_process_that_is_ended_is_told_in_one_line():
    with workers(2, None) as pool, pytest.raises(PacbedError, match=r"ended from outside.*goes on where it was"):
        list(done_by(pool, os._exit, [1]))


PARENT = """
import time
from pacbed.analysis.maps.workers import workers
from os import getpid


if __name__ == "__main__":
    with workers(1 + 1, None) as pool:
        print(*(pool.submit(getpid).result() for _ in range(1)), flush=True)
        pool.submit(time.sleep, 60).result()
"""


def test_workers_end_with_the_process_that_started_them(tmp_path):
    """Also if that is killed, and could tell nobody."""
    (tmp_path / "parent.py").write_text(PARENT)
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    for _ in range(100):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the worker lives on")
