"""Arrays that serve again: memory that is new to a process costs about as much time as the work done in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np

KEPT = 8  # the last ones


class SpareMemory:
    """Keeps arrays that are no longer used for the next one who asks. Safe to share among threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._spare: list[np.ndarray] = []

    def take(self, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        """An array of any content."""
        with self._lock:
            for index, spare in enumerate(self._spare):
                if spare.shape == shape and spare.dtype == dtype:
                    return self._spare.pop(index)
        return np.empty(shape, dtype=dtype)

    def give(self, array: np.ndarray) -> None:
        """Take back an array that nobody uses any longer."""
        with self._lock:
            self._spare = [*self._spare[1 - KEPT :], array]

    @contextmanager
    def array(self, shape: tuple[int, ...], dtype: type) -> Iterator[np.ndarray]:
        """An array of any content while the context lasts."""
        array = self.take(shape, dtype)
        try:
            yield array
        finally:
            self.give(array)
