"""Logs and progress of jobs: versions, parameters, timing; a bar on a terminal, plain lines in a file."""

import atexit
import logging
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from pacbed.errors import PacbedError

LOGGER = logging.getLogger("pacbed")
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
PACKAGES = (
    *("pacbed", "numpy", "scipy", "numba", "zarr", "abtem", "ase", "spglib", "keras", "tensorflow", "tensorflow-cpu"),
    *("jax", "tf2onnx", "onnx", "onnxruntime", "snakemake"),
)
Item = TypeVar("Item")


def configure_logging(log_path: str | Path, parameters: Mapping[str, Any] | None = None) -> None:
    """Send this process's log to a file, from the versions in use to the run time or the traceback at the end.

    Warnings of Python and of libraries go into the file; the terminal gets the project's own warnings and, when the job
    fails, the error with the place of its traceback.

    Parameters
    ----------
    log_path : path
        File to write; its folder is made if missing, an older file is replaced.
    parameters : mapping, optional
        What the job was told, one line each in the log; also one line for each entry of a mapping among them.
    """
    path = Path(log_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(path, mode="w", encoding="utf-8")
    to_file.setFormatter(logging.Formatter(FORMAT))
    to_terminal = logging.StreamHandler()
    to_terminal.setLevel(logging.WARNING)
    to_terminal.addFilter(_is_own_message)
    to_terminal.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[to_file, to_terminal], force=True)
    logging.captureWarnings(True)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # TensorFlow's greetings bypass Python; its warnings stay
    _log_start(parameters or {})
    _Ending(path).install()


def installed_versions() -> dict[str, str]:
    """Versions of Python and of those packages a result can depend on, as far as they are installed."""
    return dict(_versions_of(PACKAGES))


@cache
def _versions_of(packages: tuple[str, ...]) -> dict[str, str]:
    """Read once for a process: it takes 20 ms, as long as the networks."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def tell_user(line: str) -> None:
    """Write a line of progress to standard error, at once: what a command answers goes to standard output."""
    print(line, file=sys.stderr, flush=True)


def progress(iterable: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    """Hand the items on and show how far the loop is: a bar on a terminal, about ten lines in a log file.

    Parameters
    ----------
    iterable : iterable
        The items.
    total : int
        How many there are.
    label : str
        What is being done, such as ``rendering patterns``.
    """
    bar = _terminal_bar(total, label)
    step, started = max(1, total // 10), time.monotonic()
    try:
        for done, item in enumerate(iterable, 1):
            yield item
            if bar is not None:
                bar.update()
            if done % step == 0 or done == total:
                LOGGER.info("%s: %d of %d (%.1f s)", label, done, total, time.monotonic() - started)
    finally:
        if bar is not None:
            bar.close()


def _terminal_bar(total: int, label: str) -> Any | None:
    """A progress bar, or None where nobody would see it; tqdm comes with the workflow, a prediction does without."""
    if not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(total=total, desc=label, leave=False)


def _is_own_message(record: logging.LogRecord) -> bool:
    """Keep tracebacks (shown once, at the end) and other packages' chatter off the terminal."""
    return record.exc_info is None and record.name.split(".")[0] == LOGGER.name


def _log_start(parameters: Mapping[str, Any]) -> None:
    LOGGER.info("%s on %s (%s)", Path(sys.argv[0]).name, platform.node(), platform.platform())
    LOGGER.info("versions: %s", ", ".join(f"{name} {number}" for name, number in installed_versions().items()))
    for name, value in parameters.items():
        for key, item in value.items() if isinstance(value, Mapping) else [(name, value)]:
            LOGGER.info("%s = %s", key, item)


def _peak_memory_mb() -> float:
    """Largest resident memory of this process so far [MB]; nan where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return kilobytes / 1024


class _Ending:
    """Writes how a job ended into its log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started = time.monotonic()
        self.outcome = "finished"

    def install(self) -> None:
        sys.excepthook = self.on_error
        atexit.register(self.on_exit)

    def on_error(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self.outcome = "failed"
        LOGGER.critical("%s: %s", kind.__name__, error, exc_info=(kind, error, trace))
        text = f"{error}" if isinstance(error, PacbedError) else f"{kind.__name__}: {error}"
        print(f"error: {text}\n(traceback: {self.path})", file=sys.stderr)

    def on_exit(self) -> None:
        LOGGER.info("%s after %.1f s, peak memory %.0f MB", self.outcome, self._elapsed(), _peak_memory_mb())

    def _elapsed(self) -> float:
        return time.monotonic() - self.started
