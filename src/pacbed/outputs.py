"""Outputs appear complete or not at all, and say how they look when complete."""

from __future__ import annotations

import functools
import inspect
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pacbed.errors import FormatError

DONE = "done.json"
Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")


def leaves_nothing_half_written(
    argument: str = "out_dir",
) -> Callable[[Callable[Arguments, Value]], Callable[Arguments, Value]]:
    """Decorate a function that writes aside and renames: when it fails, what lies aside goes.

    Parameters
    ----------
    argument : str
        Name of the argument with the path of the output; aside is every neighbour ``<output>.*part``.
    """

    def decorate(function: Callable[Arguments, Value]) -> Callable[Arguments, Value]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Value:
            out = Path(signature.bind(*args, **kwargs).arguments[argument])
            try:
                return function(*args, **kwargs)
            except BaseException:
                for aside in out.parent.glob(f"{out.name}.*part"):
                    shutil.rmtree(aside) if aside.is_dir() else aside.unlink()
                raise

        return guarded

    return decorate


@contextmanager
def file_aside(path: str | Path) -> Iterator[Path]:
    """Write a file aside; it replaces the one before once it is complete.

    Parameters
    ----------
    path : path
        Where it shall lie; its folder is made if missing.

    Yields
    ------
    pathlib.Path
        A name beside it with the same suffix, to write to. After an exception it is gone and the file before stays.
    """
    out = Path(path)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f"{out.stem}.part{out.suffix}")
    try:
        yield aside
        os.replace(aside, out)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def folder_aside(folder: str | Path) -> Iterator[Path]:
    """Write a folder aside; it replaces the one before once everything in it is written.

    Parameters
    ----------
    folder : path
        Where it shall lie.

    Yields
    ------
    pathlib.Path
        An empty folder beside it, to write into. A failure leaves it there; see `leaves_nothing_half_written`.
    """
    out = Path(folder)
    aside = out.with_name(out.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    yield aside
    shutil.rmtree(out, ignore_errors=True)
    aside.rename(out)


def write_done(folder: str | Path, content: Mapping[str, Any]) -> None:
    """Finish a folder of data with ``done.json``: its description, and the size of every file in it.

    Parameters
    ----------
    folder : path
        Folder with everything else already written.
    content : mapping
        Plain JSON values.
    """
    folder = Path(folder)
    text = json.dumps({**content, "files": _sizes(folder)}, indent=2) + "\n"
    (folder / DONE).write_text(text, encoding="utf-8")


def check_done(folder: str | Path, what: str) -> dict[str, Any]:
    """Read what `write_done` wrote and compare it with what is there.

    Parameters
    ----------
    folder : path
    what : str
        Name for the error, such as "rocking table".

    Raises
    ------
    FormatError
        The folder is incomplete, or a file of it is missing or of another size.
    """
    folder = Path(folder)
    if not (folder / DONE).is_file():
        raise FormatError(f"{what} {folder}: got no {DONE}, accepted: a folder with a complete {what}")
    try:
        content = json.loads((folder / DONE).read_text(encoding="utf-8"))
        expected = dict(content["files"])
    except (ValueError, TypeError, KeyError) as error:
        raise FormatError(f"{what} {folder}: {DONE} is damaged ({type(error).__name__}: {error})") from error
    found = _sizes(folder)
    wrong = [name for name, size in expected.items() if found.get(name) != size]
    if wrong:
        raise FormatError(
            f"{what} {folder}: got {len(wrong)} missing or truncated files, {wrong[0]} the first, accepted: a complete "
            f"{what}; make it again"
        )
    return dict(content)


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of every file below a folder; hidden ones are Snakemake's."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != DONE)
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files if path.name[0] != "."}


def check_version(what: str, got: object, *, current: int, oldest: int) -> None:
    """Accept the versions that can be read and name them otherwise.

    Parameters
    ----------
    what : str
        Name for the error, such as "stack /data/stack".
    got : object
        ``schema_version`` as it was read.
    current, oldest : int
        Version that is written, and the first that can still be read.

    Raises
    ------
    FormatError
        The version is another, or none.
    """
    if type(got) is int and oldest <= got <= current:
        return
    accepted = f"{current}" if oldest == current else f"{oldest} to {current}"
    newer = type(got) is int and got > current
    advice = "it comes from a newer pacbed, update" if newer else "make it again"
    raise FormatError(f"{what}: got schema_version {got}, accepted: {accepted}; {advice}")


def write_json(content: Mapping[str, Any], path: str | Path) -> None:
    """Write figures aside, then rename the file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    aside.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(aside, path)
