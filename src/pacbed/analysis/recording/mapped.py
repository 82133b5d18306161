"""Memory of mapped files: what was read of them counts as the process's own until it is given back."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any


def give_back(values: Any) -> None:
    """Give back the memory of what was read of a mapped file; other arrays are left alone.

    Parameters
    ----------
    values : array-like
        An array in a mapped file or a view of one, or several in `parts`. It can be read as before.
    """
    if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows, which takes memory away by itself
        for one in _maps(values):
            one.madvise(mmap.MADV_DONTNEED)


def _maps(values: Any) -> Iterator[mmap.mmap]:
    for part in getattr(values, "parts", ()):
        yield from _maps(part)
    while values is not None and not isinstance(values, mmap.mmap):
        values = getattr(values, "base", None)
    if values is not None:
        yield values
