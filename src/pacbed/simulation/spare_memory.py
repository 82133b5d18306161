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

    @contextmanager
    def array(self, shape: tuple[int, ...], dtype: type) -> Iterator[np.ndarray]:
        """An array of any content while the context lasts."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        with self._lock:
            fitting = [index for index, spare in enumerate(self._spare) if spare.size == size]
            memory = self._spare.pop(fitting[0]) if fitting else np.empty(size, dtype=np.uint8)
        try:
            yield memory.view(dtype).reshape(shape)
        finally:
            with self._lock:
                self._spare = [*self._spare[1 - KEPT :], memory]
