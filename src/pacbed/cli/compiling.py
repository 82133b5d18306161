"""Says why the first command of an installation takes a minute: the renderer is compiled, once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

NOTICE = "compiling the renderer once for this installation, about a minute"


@contextmanager
def compilation_announced() -> Iterator[None]:
    """While the context lasts, print one line on standard error when a loop of this package starts to be compiled.

    A loop that Numba finds in its cache is loaded, not compiled, and nothing is said.
    """
    from numba.core import event as compilation

    class Announcer(compilation.Listener):
        said = False

        def on_start(self, event: compilation.Event) -> None:
            if not self.said and event.data["dispatcher"].py_func.__module__.startswith("pacbed."):
                self.said = True
                print(NOTICE, file=sys.stderr, flush=True)

        def on_end(self, event: compilation.Event) -> None:
            pass

    with compilation.install_listener("numba:compile", Announcer()):
        yield
