"""abTEM's settings, which are one set for the whole process, made safe for threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import Condition
from typing import Any

import abtem
import pyfftw

# One thread and no bar: the caller runs several scans side by side and reports progress itself.
ABTEM_SETTINGS: Mapping[str, Any] = {
    "fftw.threads": 1,
    "diagnostics.progress_bar": False,
    "precision": "float32",
    "device": "cpu",
}
# Measured plans are a matter of timing: the last digits differ from process to process. Estimated ones take 1.4 times
# as long and do not.
REPRODUCIBLE: Mapping[str, Any] = {"fftw.planning_effort": "FFTW_ESTIMATE"}


class _InForce:
    """What is set at the moment, and by how many threads."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.users = 0
        self.values: dict[str, Any] = {}
        self.undo = ExitStack()


_IN_FORCE = _InForce()


@contextmanager
def abtem_settings(extra: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Hold `ABTEM_SETTINGS` and `extra` in force; threads that want the same ones share, others wait their turn.

    Not to be nested in one thread: the inner one would wait for the outer one.

    Parameters
    ----------
    extra : mapping of str to value, optional
        abTEM configuration keys on top of `ABTEM_SETTINGS`.
    """
    settings = {**ABTEM_SETTINGS, **(extra or {})}
    with _IN_FORCE.changed:
        _IN_FORCE.changed.wait_for(lambda: not _IN_FORCE.users or settings.items() <= _IN_FORCE.values.items())
        if not _IN_FORCE.users:
            if REPRODUCIBLE.items() <= settings.items():
                pyfftw.forget_wisdom()  # what was measured before outranks an estimate
            _IN_FORCE.undo.enter_context(abtem.config.set(settings))
            _IN_FORCE.values = settings
        _IN_FORCE.users += 1
    try:
        yield
    finally:
        with _IN_FORCE.changed:
            _IN_FORCE.users -= 1
            if not _IN_FORCE.users:
                _IN_FORCE.undo.close()
            _IN_FORCE.changed.notify_all()
