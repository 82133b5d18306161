"""How the processes that compute are, now."""

from __future__ import annotations

from typing import NamedTuple

import psutil

from pacbed.service.workers.pool import workers_of

MEGA = 1e6


class WorkerState(NamedTuple):
    """One process.

    Attributes
    ----------
    pid : int
        Its number.
    memory_mb : float
        Resident memory [MB].
    cpu_s : float
        Processor time since it began [s].
    """

    pid: int
    memory_mb: float
    cpu_s: float


def worker_states(server: psutil.Process | None = None) -> list[WorkerState]:
    """The processes of a server, by number; by default of this one."""
    found = []
    for process in workers_of(server or psutil.Process()):
        try:
            with process.oneshot():
                times = process.cpu_times()
                found.append(WorkerState(process.pid, process.memory_info().rss / MEGA, times.user + times.system))
        except psutil.Error:  # gone by now
            continue
    return sorted(found)
