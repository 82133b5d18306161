"""A lock between processes that is gone with the process that holds it, however it ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_S = 0.2


@contextmanager
def locked(path: str | Path, *, waiting: Callable[[], None] | None = None) -> Iterator[int]:
    """Hold a lock.

    Parameters
    ----------
    path : path
        File of the lock; made if missing, and left behind, because removing it would let two processes in.
    waiting : callable, optional
        Called once if another process or thread holds the lock, which is then waited for; without it that is an error.

    Yields
    ------
    int
        Descriptor that carries the lock. A child process that inherits it (`pass_fds`) holds the lock as well.

    Raises
    ------
    BlockingIOError
        The lock is taken, and nobody wants to wait.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("a+b") as file:
        if not _taken(file.fileno()):
            if waiting is None:
                raise BlockingIOError(f"{path} is held by another process")
            waiting()
            while not _taken(file.fileno()):
                time.sleep(POLL_S)
        yield file.fileno()


if sys.platform == "win32":
    import msvcrt

    def _taken(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _taken(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
