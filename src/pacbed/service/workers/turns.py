"""Turns at the workers: bounded in number, and fair between those who ask."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from pacbed.service.problems import ServiceError

USUAL_SECONDS = 1.0  # of a look-up, before any was measured
SMOOTHING = 0.1  # weight of the last look-up in their mean time


class Turns:
    """Places at the workers; whoever waits is served owner by owner in rotation, so that many cannot crowd out one.

    Parameters
    ----------
    places : int
        Look-ups that run at the same time.
    longest : int
        Look-ups that may wait.
    """

    def __init__(self, places: int, longest: int) -> None:
        self._places, self._free, self._longest = places, places, longest
        self._waiting: OrderedDict[str, deque[anyio.Event]] = OrderedDict()
        self._mean_s = USUAL_SECONDS

    @property
    def waiting(self) -> int:
        """Look-ups that wait now."""
        return sum(len(line) for line in self._waiting.values())

    @property
    def waiting_by_owner(self) -> dict[str, int]:
        """The same by owner, in the order of their turns."""
        return {owner: len(line) for owner, line in self._waiting.items()}

    @property
    def running(self) -> int:
        """Look-ups that run now."""
        return self._places - self._free

    @asynccontextmanager
    async def turn(self, owner: str) -> AsyncIterator[None]:
        """Wait for a place and hold it.

        Raises
        ------
        ServiceError
            503: too many wait already.
        """
        await self._enter(owner)
        started = anyio.current_time()
        try:
            yield
            self._mean_s += SMOOTHING * (anyio.current_time() - started - self._mean_s)
        finally:
            self._leave()

    async def _enter(self, owner: str) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        if self.waiting >= self._longest:
            retry_s = self._mean_s * self._longest / self._places
            raise ServiceError(503, f"the service is busy, {self.waiting} look-ups wait; ask again", retry_s=retry_s)
        called = anyio.Event()
        self._waiting.setdefault(owner, deque()).append(called)
        try:
            await called.wait()
        except BaseException:
            if called.is_set():
                self._leave()
            else:
                self._forget(owner, called)
            raise

    def _forget(self, owner: str, called: anyio.Event) -> None:
        self._waiting[owner].remove(called)
        if not self._waiting[owner]:
            del self._waiting[owner]

    def _leave(self) -> None:
        """Hand the place on to the owner who has waited longest for a turn."""
        if not self._waiting:
            self._free += 1
            return
        owner, line = self._waiting.popitem(last=False)
        line.popleft().set()
        if line:
            self._waiting[owner] = line
