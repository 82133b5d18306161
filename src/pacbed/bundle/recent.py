"""Keeps the last few results of costly calculations, so that the next prediction finds them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any


class RecentResults:
    """Results by key, the least recently used dropped first; a thread that asks for one in the making waits for it.

    Parameters
    ----------
    limit : int
        How many are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = RLock()  # held while a result is made: two threads never make the same one

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The result kept under a key, or what `make` returns, which is then kept; nothing is kept if it raises."""
        with self._lock:
            if key not in self._results:
                self._results[key] = make()
            self._results.move_to_end(key)
            while len(self._results) > self._limit:
                self._results.popitem(last=False)
            return self._results[key]
