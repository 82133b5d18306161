"""Worker processes: one that hangs, dies or grows costs its own request and no other."""

import os
import time

import anyio
import psutil
import pytest

from pacbed.service.problems import ServiceError
from pacbed.service.settings import Limits
from pacbed.service.workers.pool import Pool, workers_of

# Understood by a worker without this module; what it grows by is held while it sleeps.
GROW = "open({path!r}, 'w').write(str(__import__('os').getpid())), b'x' * {size}, __import__('time').sleep(60)"


def in_pool(test, *, workers=1, **limits):
    """Run a test with a pool, which ends with it."""

    async def run():
        pool = Pool(workers, Limits(**limits))
        async with anyio.create_task_group() as group:
            await pool.start(group)
            await test(pool)
            group.cancel_scope.cancel()

    anyio.run(run)


def test_a_task_that_hangs_is_ended_and_the_next_is_answered():
    async def test(pool):
        first = await pool.call("a", os.getpid)
        with pytest.raises(ServiceError, match=r"more than 8 s") as caught:
            await pool.call("a", time.sleep, 60)
        assert caught.value.status == 504 and pool.replaced == 1
        assert not psutil.pid_exists(first)
        assert await pool.call("a", os.getpid) != first

    in_pool(test, seconds=8)


def test_a_process_that_dies_costs_its_own_request_alone():
    answers = []

    async def test(pool):
        async with anyio.create_task_group() as group:
            group.start_soon(slow, pool)
            with pytest.raises(ServiceError, match=r"died; ask again") as caught:
                await pool.call("b", os._exit, 7)
        assert caught.value.status == 503 and caught.value.retry_s
        assert answers == ["1"] and await pool.call("b", str, 2) == "2"

    async def slow(pool):
        answers.append(await pool.call("a", eval, "__import__('time').sleep(1) or '1'"))

    in_pool(test, workers=2)


def test_a_process_that_grows_is_ended(tmp_path):
    async def test(pool):
        text = GROW.format(path=str(tmp_path / "pid"), size=1_000_000_000)
        with pytest.raises(ServiceError, match=r"more than 0.6 GB") as caught:
            await pool.call("a", eval, text, folder=tmp_path)
        assert caught.value.status == 504
        assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
        assert await pool.call("a", str, 2) == "2"

    in_pool(test, memory_gb=0.6)  # a worker that has only started takes up to 0.2 GB


def test_every_worker_is_warm_before_the_pool_is_ready(tiny_bundle_file):
    async def test(pool):
        assert not pool.ready
        await pool.warm_up(tiny_bundle_file)
        assert pool.ready and len(workers_of(psutil.Process())) == 2
        workers_of(psutil.Process())[0].kill()
        with pytest.raises(ServiceError):  # it was the last one idle, or it was not
            await pool.call("a", os._exit, 1)

    in_pool(test, workers=2)


def test_a_bundle_that_cannot_be_answered_makes_nobody_ready(tmp_path):
    async def test(pool):
        (tmp_path / "bad.pacbed").write_bytes(b"no bundle")
        await pool.warm_up(tmp_path / "bad.pacbed")
        assert not pool.ready

    in_pool(test)
