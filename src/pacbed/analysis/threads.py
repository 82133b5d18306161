"""Holds the libraries for linear algebra to one thread."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """Hold BLAS and OpenMP to one thread inside a ``with`` block.

    Idle threads of theirs spin between thousands of small problems: 2.3 to 4 times the processor time.
    """
    return _thread_pools().limit(limits=1)


@cache
def _thread_pools() -> ThreadpoolController:
    """What the process has loaded, looked for once: that takes as long as a network's answer."""
    return ThreadpoolController()
