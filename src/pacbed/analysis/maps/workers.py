"""Who fits the windows: this process, processes of this machine, or the workers of a dask scheduler."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, TypeVar

from pacbed.errors import PacbedError
from pacbed.schedulers import scheduler_client

Task = TypeVar("Task")
Done = TypeVar("Done")
ALONE_S = 1.0  # how often a worker looks whether the process that started it is still there


@contextmanager
def workers(jobs: int, scheduler: str | None) -> Iterator[Executor | None]:
    """Where tasks are done; None stands for this process.

    Parameters
    ----------
    jobs : int
        Processes, where no scheduler is named.
    scheduler : str or None
        Address of a dask scheduler, such as ``tcp://node7:8786``, whose workers see the same files.

    Raises
    ------
    ParameterError
        The scheduler does not answer, or the package that speaks to it is not installed.
    """
    if scheduler is not None:
        with scheduler_client(scheduler) as client, client.get_executor() as executor:
            yield executor
    elif jobs == 1:
        yield None
    else:
        # ONNX Runtime and numba have threads and locks, which do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with, initargs=(os.getpid(),)) as pool:
            yield pool


def _end_with(parent: int) -> None:
    """End this process once the one that started it is gone, killed or not."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(ALONE_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def done_by(executor: Executor | None, function: Callable[[Task], Done], tasks: Sequence[Task]) -> Iterator[Done]:
    """What a function returns of each task, as they are done; what is left is dropped if this is closed early.

    Parameters
    ----------
    executor : Executor or None
        Of `workers`.
    function : callable
        Of a module, with one argument.
    tasks : sequence

    Raises
    ------
    PacbedError
        A process was ended from outside.
    """
    if executor is None:
        yield from map(function, tasks)
        return
    futures: list[Future[Any]] = [executor.submit(function, task) for task in tasks]
    try:
        for future in as_completed(futures):
            yield future.result()
    except BrokenExecutor as error:
        raise PacbedError(
            "map: a process was ended from outside, as a rule because memory was short; the same command goes on where "
            "it was, with fewer --jobs if need be"
        ) from error
    finally:
        for future in futures:
            future.cancel()
