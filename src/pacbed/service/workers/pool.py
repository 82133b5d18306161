"""The processes that compute: as many as there are workers, kept warm, watched, and replaced when they die."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_process
import anyio.to_thread
import psutil
from anyio.abc import TaskGroup

from pacbed.service.problems import ServiceError
from pacbed.service.settings import GIGA, Limits
from pacbed.service.workers import tasks
from pacbed.service.workers.job import PID, Done, Job, View
from pacbed.service.workers.turns import Turns

LOGGER = logging.getLogger("pacbed.service.workers")
WATCH_S = 0.3  # between two looks at the memory of the workers
STAY_S = 120.0  # between two calls that keep idle workers: AnyIO ends those idle for five minutes
WARM_S = 600.0  # a cold cache of compiled code
RETRY_S = 5.0
WORKER_MODULE = "anyio.to_process"
Value = TypeVar("Value")


class Pool:
    """Worker processes behind fair turns.

    Parameters
    ----------
    workers : int
        Processes.
    limits : Limits
        Time and memory of one look-up, and how many may wait.

    Attributes
    ----------
    turns : Turns
    ready : bool
        Every worker has answered a pattern.
    replaced : int
        Workers that died or were ended.
    """

    def __init__(self, workers: int, limits: Limits) -> None:
        self._workers, self._limits = workers, limits
        self._limiter: anyio.CapacityLimiter | None = None
        self._too_large: set[int] = set()
        self._warm_with: Path | None = None
        self._warm = 0
        self._tasks: TaskGroup | None = None
        self.turns = Turns(workers, limits.queue)
        self.ready = False
        self.replaced = 0

    async def start(self, group: TaskGroup) -> None:
        """Begin to watch the workers; to be called inside the loop that they belong to."""
        self._limiter, self._tasks = anyio.CapacityLimiter(self._workers), group
        group.start_soon(self._watch)
        group.start_soon(self._stay)

    async def warm_up(self, bundle: Path) -> None:
        """Let every worker answer a pattern of a bundle at the same time; `ready` says whether that worked."""
        self._warm_with, self._warm = bundle, 0
        async with anyio.create_task_group() as group:
            for _ in range(self._workers):
                group.start_soon(self._warm_one)
        self.ready = self._warm >= self._workers

    async def look_up(self, job: Job, owner: str) -> Done:
        """Answer a pattern; errors as for `call`."""
        return await self.call(owner, tasks.look_up, job, folder=job.folder)

    async def render(self, bundle: Path, view: View, kind: str, owner: str) -> bytes:
        """Render a pattern; see `pacbed.service.workers.tasks.render_view`, errors as for `call`."""
        return await self.call(owner, tasks.render_view, bundle, view, kind)

    async def call(
        self, owner: str, task: Callable[..., Value], *arguments: object, folder: Path | None = None
    ) -> Value:
        """Let a worker call a function when it is the owner's turn.

        Parameters
        ----------
        owner : str
        task : callable
            Can be imported by a worker, like its arguments.
        folder : path, optional
            Where the task leaves the number of its process as `PID`.

        Raises
        ------
        ServiceError
            503: busy, or the process died; 504: it took too long, or too much memory.
        """
        async with self.turns.turn(owner):
            with self._process_errors(folder):
                return await self._run(task, *arguments)

    async def _run(self, task: Callable[..., Value], *arguments: object, seconds: float | None = None) -> Value:
        with anyio.fail_after(seconds or self._limits.seconds):
            return await anyio.to_process.run_sync(task, *arguments, cancellable=True, limiter=self._limiter)

    @contextmanager
    def _process_errors(self, folder: Path | None) -> Iterator[None]:
        """Tell what became of the process, and have another one ready."""
        try:
            yield
        except TimeoutError:
            self._replace()
            text = f"the look-up took more than {self._limits.seconds:g} s and was ended"
            raise ServiceError(504, text) from None
        except anyio.BrokenWorkerProcess:
            self._replace()
            if folder is not None and _pid(folder) in self._too_large:
                text = f"the look-up took more than {self._limits.memory_gb:g} GB of memory and was ended"
                raise ServiceError(504, text) from None
            raise ServiceError(503, "the process that computed died; ask again", retry_s=RETRY_S) from None

    def _replace(self) -> None:
        self.replaced += 1
        LOGGER.warning("a worker ended; another takes its place")
        if self._tasks is not None and self._warm_with is not None:
            self._tasks.start_soon(self._warm_one)

    async def _warm_one(self) -> None:
        try:
            async with self.turns.turn("warm-up"):
                verdict = await self._run(tasks.warm_up, self._warm_with, seconds=WARM_S)
            self._warm += 1
            LOGGER.info("a worker is warm; its first answer is %s", verdict)
        except Exception as error:  # of whatever bundle it is: the service goes on without
            LOGGER.warning("a worker did not warm up: %r", error)

    async def _stay(self) -> None:
        """Use idle workers now and then, all at the same time so that each one is reached."""
        while True:
            await anyio.sleep(STAY_S)
            if not self.turns.running:
                async with anyio.create_task_group() as group:
                    for _ in range(self._workers):
                        group.start_soon(self._stay_one)

    async def _stay_one(self) -> None:
        try:
            await self._run(tasks.stay)
        except (TimeoutError, anyio.BrokenWorkerProcess) as error:
            LOGGER.warning("an idle worker ended: %r", error)

    async def _watch(self) -> None:
        """End workers that take too much memory; an address-space limit would count what is only reserved."""
        while True:
            await anyio.to_thread.run_sync(self._end_too_large)
            await anyio.sleep(WATCH_S)

    def _end_too_large(self) -> None:
        for process in workers_of(psutil.Process()):
            try:
                if process.memory_info().rss > self._limits.memory_gb * GIGA:
                    self._too_large.add(process.pid)
                    process.kill()
            except psutil.Error:  # gone by now
                continue


def workers_of(server: psutil.Process) -> list[psutil.Process]:
    """Processes of a server that compute."""
    found = []
    for process in server.children():
        try:
            if WORKER_MODULE in process.cmdline():
                found.append(process)
        except psutil.Error:  # gone by now
            continue
    return found


def _pid(folder: Path) -> int:
    try:
        return int((folder / PID).read_text())
    except (OSError, ValueError):
        return -1
