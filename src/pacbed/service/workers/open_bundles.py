"""The bundles that a worker process holds open: a few, and no more than its memory carries."""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import psutil

from pacbed.bundle.reader import Bundle, load_bundle

OPEN_BUNDLES = 4
# Resident memory beyond which bundles are let go before another is opened: the largest that ships, beryl's, takes
# 1.3 GB with a library, and a worker may have 3 GB.
FULL_GB = 1.5
_open: OrderedDict[tuple[Path, float], Bundle] = OrderedDict()


def opened(path: Path) -> Bundle:
    """A bundle of this process, open since it was last asked for.

    Raises
    ------
    FormatError
        As `pacbed.bundle.reader.load_bundle`.
    """
    key = (path, path.stat().st_mtime)
    if key not in _open:
        while _open and (len(_open) >= OPEN_BUNDLES or _resident_gb() > FULL_GB):
            _open.popitem(last=False)
            _give_back()
        _open[key] = load_bundle(path)
    _open.move_to_end(key)
    return _open[key]


def _resident_gb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e9


def _give_back() -> None:
    """Give freed memory back to the system, which glibc would keep."""
    with suppress(AttributeError, OSError, TypeError):  # other C libraries have no such call
        ctypes.CDLL(None).malloc_trim(0)
