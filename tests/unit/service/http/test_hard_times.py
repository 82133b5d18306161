"""Workers that die, disks that are full, look-ups that take too long: one request is told, no other notices."""

from __future__ import annotations

import os
import resource
import signal
import time
from threading import Thread

import imageio.v3 as iio
import numpy as np
import psutil
import pytest

from tests.unit.service.conftest import as_npy, asked, start, stop

LOOKUPS = "/api/v1/lookups"


def post(client, array, **fields):
    return client.post(LOOKUPS, files={"file": ("film.npy", as_npy(array))}, data=asked(**fields))


def test_a_worker_killed_in_the_middle_costs_one_request(server, client, pattern):
    """And the next one is answered by another process, without a start of the service."""
    answers = []
    asking = Thread(target=lambda: answers.append(post(client, pattern + 3, sheet="link")))
    (before,) = server.workers()
    asking.start()
    with server.client() as watching:
        server.wait_for(lambda: "pacbed_running 1.0" in watching.get("/metrics").text, 20)
        server.wait_for(lambda: any((one / "pid").exists() for one in server.scratch()), 20)
        before.kill()
        asking.join(60)
        assert answers[0].status_code == 503 and answers[0].headers["Retry-After"]
        assert "died" in answers[0].json()["detail"] and server.scratch() == []
        assert post(watching, pattern + 3, refine="false").status_code == 200
        assert server.workers()[0].pid != before.pid


def test_a_disk_that_takes_no_more(server, client, pattern, known):
    """The process may write no file beyond 50 kB: uploads, database and audit fail, and nothing is lost."""
    limit = resource.RLIMIT_FSIZE
    before = resource.prlimit(server.process.pid, limit)
    resource.prlimit(server.process.pid, limit, (50_000, before[1]))
    try:
        refused = post(client, pattern + 4)
        assert refused.status_code == 507 and "no space" in refused.json()["detail"]
        assert client.get(f"{LOOKUPS}/{known['id']}").status_code == 200
    finally:
        resource.prlimit(server.process.pid, limit, before)
    assert server.scratch() == []
    assert post(client, pattern + 4, refine="false").status_code == 200
    assert client.get(f"{LOOKUPS}/{known['id']}").json()["result"] == known["result"]


def test_a_look_up_that_takes_too_long_is_ended_with_its_process(tiny_bundle_file, tmp_path, pattern):
    server = start(tmp_path, tiny_bundle_file, open=True, limits={"seconds": 0.2})
    try:
        (before,) = server.workers()
        with server.client(None) as client:
            answer = post(client, pattern, sheet="inline")
            assert answer.status_code == 504 and "more than 0.2 s" in answer.json()["detail"]
            server.wait_for(lambda: not psutil.pid_exists(before.pid), 20)
            assert client.get("/healthz").status_code == 200 and server.scratch() == []
            log = (tmp_path / "log").read_text()
            assert server.token not in log and "Traceback" not in log
    finally:
        stop(server)


def test_a_look_up_that_takes_too_much_memory_is_ended_with_its_process(tiny_bundle_file, tmp_path, pattern):
    """A small file of many pixels, at a limit that every usual pattern keeps; the one after it is answered."""
    server = start(tmp_path, tiny_bundle_file, open=True, limits={"memory_gb": 0.6})
    try:
        (before,) = server.workers()
        rows, columns = np.mgrid[:4096, :4096] / 1024 - 2
        large = iio.imwrite("<bytes>", (99 * np.exp(-(rows**2) - columns**2)).astype(np.uint8), extension=".png")
        with server.client(None) as client:
            answer = client.post(LOOKUPS, files={"file": ("large.png", large)}, data=asked(refine="false"))
            assert answer.status_code == 504 and "more than 0.6 GB of memory" in answer.json()["detail"]
            server.wait_for(lambda: not psutil.pid_exists(before.pid), 20)
            assert client.get("/healthz").status_code == 200 and server.scratch() == []
            assert post(client, pattern, refine="false").status_code == 200
            assert server.workers()[0].pid != before.pid
    finally:
        stop(server)


def test_counters_that_do_not_answer_stall_nobody_else(postgresql_server, redis, pattern):
    """Redis is stopped: whoever has a named token is told to ask again, and others are answered meanwhile."""
    answers = []
    with postgresql_server.client(postgresql_server.new_token("patient")) as named, postgresql_server.client() as other:
        asking = Thread(target=lambda: answers.append(post(named, pattern)))
        os.kill(redis.pid, signal.SIGSTOP)
        try:
            asking.start()
            time.sleep(0.3)
            assert other.get("/healthz").status_code == other.get("/api/v1/bundles").status_code == 200
            assert answers == []
            asking.join(30)
        finally:
            os.kill(redis.pid, signal.SIGCONT)
        assert answers[0].status_code == 503 and answers[0].headers["Retry-After"]
        assert "counters" in answers[0].json()["detail"]
        postgresql_server.wait_for(lambda: post(named, pattern, refine="false").status_code == 200, 20)


@pytest.mark.parametrize("count", [8])
def test_many_at_once_are_answered_or_sent_away(server, pattern, count):
    """Two at once of a named token; the others are told to wait, none fails otherwise."""
    statuses: list[int] = []
    with server.client(server.new_token("eager")) as client:
        threads = [
            Thread(target=lambda n=n: statuses.append(post(client, pattern[:, : 120 + n]).status_code))
            for n in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(statuses) == count and set(statuses) <= {200, 429} and statuses.count(200) >= 1
