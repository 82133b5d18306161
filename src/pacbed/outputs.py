"""Outputs appear complete or not at all, and say how they look when complete."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from pacbed.errors import FormatError

DONE = "done.json"


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
        A name beside it with the same suffix, ``x.part.png`` for ``x.png``, to write to. After an exception it is gone
        and the file before stays.
    """
    out = Path(path)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f"{out.stem}.part{out.suffix}")
    try:
        yield aside
        os.replace(aside, out)
    finally:
        _remove(aside)


@contextmanager
def scratch_folder(path: str | Path) -> Iterator[Path]:
    """An empty folder for intermediate files, gone at the end, whatever happens.

    Parameters
    ----------
    path : path
        Where it shall lie; what a killed run left there is removed.
    """
    folder = Path(path)
    _remove(folder)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        _remove(folder)


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
        An empty folder beside it, to write into. After an exception it is gone and the folder before stays.
    """
    out = Path(folder)
    with scratch_folder(out.with_name(f"{out.name}.part")) as aside:
        yield aside
        before = out.with_name(f"{out.name}.before.part")
        _remove(before)
        if os.path.lexists(out):  # moved away whole: a folder that is being removed would be neither old nor new
            out.rename(before)
        aside.rename(out)
        _remove(before)


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def plain_json(value: Any) -> Any:
    """Reduce a value to what JSON knows: arrays and tuples become lists, data classes and models dicts, paths texts.

    Parameters
    ----------
    value : object
        Plain values, arrays of NumPy of any shape, data classes, models of pydantic, paths, and containers of these.
    """
    return to_jsonable_python(value, fallback=lambda array: array.tolist())


def write_text(text: str, path: str | Path) -> None:
    """Write a text in UTF-8 to a file that appears complete or not at all."""
    with file_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(content: Any, path: str | Path) -> None:
    """Write a JSON file that appears complete or not at all, indented by two, in UTF-8, with a line break at its end.

    Parameters
    ----------
    content : object
        What `plain_json` takes.
    path : path

    Raises
    ------
    ValueError
        A number is not finite: JSON has none.
    """
    write_text(json.dumps(plain_json(content), indent=2, allow_nan=False, ensure_ascii=False) + "\n", path)


class KeptLines:
    """A file of JSON lines that grows row by row, so that a run that was stopped goes on where it was.

    Parameters
    ----------
    file : path
        Where they are kept; the first line says what for.
    made_for : mapping
        Plain JSON values; a file made for others is begun anew.

    Attributes
    ----------
    rows : list of dict
        Those that were there, in their order.
    """

    def __init__(self, file: str | Path, made_for: Mapping[str, Any]) -> None:
        self._file = Path(file)
        head = json.dumps({"made_for": made_for}, sort_keys=True)
        self.rows: list[dict[str, Any]] = []
        lines = self._file.read_text(encoding="utf-8").split("\n") if self._file.is_file() else []
        if len(lines) < 2 or lines[0] != head:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(f"{head}\n", encoding="utf-8")
            return
        whole = lines[1:-1]  # a run that was killed may have left half a line behind the last break
        self.rows = [json.loads(line) for line in whole]
        self._file.write_text("\n".join([head, *whole]) + "\n", encoding="utf-8")

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Keep some more rows of plain JSON values."""
        with self._file.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in rows)


def write_done(folder: str | Path, content: Mapping[str, Any]) -> None:
    """Finish a folder of data with ``done.json``: its description, and the size of every file in it.

    Parameters
    ----------
    folder : path
        Folder with everything else already written.
    content : mapping
        What `plain_json` takes.
    """
    write_json({**content, "files": _sizes(Path(folder))}, Path(folder) / DONE)


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
