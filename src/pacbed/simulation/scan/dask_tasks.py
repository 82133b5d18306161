"""Runs the tasks of thickness series on dask: threads or processes of this machine, or a scheduler elsewhere."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import dask
import numpy as np

from pacbed.errors import ParameterError, SimulationError
from pacbed.schedulers import scheduler_client
from pacbed.simulation.scan.series import ScanSeries, ScanTask

LOCAL = ("threads", "processes")


def compute_series(series: Sequence[ScanSeries], *, scheduler: str, workers: int) -> Iterator[np.ndarray]:
    """Images of one series after the other, their tasks side by side; the result does not depend on either choice.

    Parameters
    ----------
    series : sequence of ScanSeries
        What to compute.
    scheduler : str
        "threads", "processes", or the address of a dask scheduler, such as "tcp://node7:8786".
    workers : int
        Threads or processes; a scheduler elsewhere has its own.

    Yields
    ------
    numpy.ndarray of float32, shape (thickness, row, column)
        Of each entry of `series`.

    Raises
    ------
    SimulationError
        The scheduler does not answer, or the package that speaks to it is not installed.
    """
    with _options(scheduler, workers) as options:
        # Enough series at a time to keep the workers busy; more would only fill the memory.
        step = max(1, -(-2 * workers // max(1, len(series[0].tasks())))) if series else 1
        for start in range(0, len(series), step):
            group = [_delayed(item) for item in series[start : start + step]]
            yield from dask.compute(*group, **options)


def _delayed(series: ScanSeries) -> Any:
    shared = dask.delayed(series, traverse=False, pure=False)
    tasks = [dask.delayed(_run, pure=False)(shared, task) for task in series.tasks()]
    return dask.delayed(_images, pure=False)(shared, tasks)


def _run(series: ScanSeries, task: ScanTask) -> np.ndarray:
    return series.run(task)


def _images(series: ScanSeries, results: list[np.ndarray]) -> np.ndarray:
    return series.images(results)


@contextmanager
def _options(scheduler: str, workers: int) -> Iterator[dict[str, Any]]:
    """Keyword arguments for `dask.compute`."""
    if scheduler == "threads":
        with ThreadPoolExecutor(workers) as threads:
            yield {"scheduler": "threads", "pool": threads}
    elif scheduler == "processes":
        # One pool for the whole block: a fresh process spends seconds on importing abTEM. FFTW's threads and locks do
        # not survive a fork, hence `spawn`.
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as processes:
            yield {"scheduler": "processes", "pool": processes}
    else:
        with _client(scheduler) as client:
            yield {"scheduler": client}


def _client(address: str) -> Any:
    try:
        return scheduler_client(address, local=" or ".join(LOCAL))
    except ParameterError as error:
        raise SimulationError(str(error)) from error
