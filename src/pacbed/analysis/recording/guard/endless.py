"""Damaged HDF5 that its library reads for ever, or crashes at, tried where that harms nobody.

Lengths of zero in a heap of strings, or a tree that leads back to itself, keep the library busy inside one call, which
neither Python nor Ctrl+C can end. So the structure is walked through in a child process first, which may take so much
processor time and no more; a slow disk is waited for.
"""

from __future__ import annotations

import os
import signal
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any

from pacbed.analysis.recording.guard.references import check_references, stores_reached
from pacbed.errors import PatternError

CPU_S = 10  # a good file takes hundredths
WAIT_S = 600  # on the slowest of disks
MOST_OBJECTS = 1000  # looked at in a file: the first of them show whether it is damaged
MOST_BYTES = 2**24  # of an attribute or a chunk that is read


def check_ends(path: str | Path, *, cpu_s: int = CPU_S) -> None:
    """Refuse an HDF5 file that the library does not come to an end with; other files are let through.

    On Windows, where no process can be copied, nothing is tried.

    Parameters
    ----------
    path : path
    cpu_s : int
        Processor time that its structure may take [s].

    Raises
    ------
    PatternError
    """
    import h5py

    file = Path(path)
    if not hasattr(os, "fork") or not file.is_file() or not h5py.is_hdf5(file):
        return
    child = os.fork()
    if child == 0:
        _try(file, cpu_s)
    try:
        _, status = os.waitpid(child, 0)
    except BaseException:  # the user gave up, and what waits here would go on
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    if os.WIFSIGNALED(status):
        stopped = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM, signal.SIGKILL)
        why = "does not come to an end with it" if stopped else "crashes at it"
        raise PatternError(f"file: {file} cannot be read (the HDF5 library {why}), accepted: a whole file")


def _try(file: Path, cpu_s: int) -> None:
    """Walk through a file and leave the process; what is wrong with the file, its readers say in their own words."""
    import faulthandler
    import resource

    try:
        faulthandler.disable()  # a crash is told by the parent
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(WAIT_S)
        check_references(file)
        for store in stores_reached(file):
            _walk(store)
    finally:
        os._exit(0)  # whatever was raised


def _walk(store: Any) -> None:
    """Read attributes and a first value of the objects of an open HDF5 file."""
    import h5py

    names: list[str] = ["/"]
    store.visit(names.append)
    for name in islice(names, MOST_OBJECTS):
        item = store[name]
        for key in item.attrs:
            if item.attrs.get_id(key).get_storage_size() <= MOST_BYTES:
                item.attrs[key]
        if not isinstance(item, h5py.Dataset) or item.shape is None or 0 in item.shape:
            continue
        if prod(item.chunks or ()) * item.dtype.itemsize <= MOST_BYTES:
            item[(0,) * item.ndim]
