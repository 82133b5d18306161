"""Rocking tables of slim bundles, made once for all processes of a user and kept in a folder of bounded size.

The folder is that of the environment variable ``PACBED_CACHE``, else the user's cache folder; it holds
``PACBED_CACHE_GB`` at most. A table's entry is a whole bundle, made beside its name and renamed when it is on the disk;
its hashes are checked whenever it is opened. Others may keep entries with a suffix of `SUFFIXES` there.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_path

from pacbed.bundle.archive import TABLE, Archive
from pacbed.config.values import BUNDLE_SUFFIX
from pacbed.errors import FormatError, bad_value
from pacbed.locks import locked
from pacbed.logs import tell_user
from pacbed.workflow.stages import STAGE_VERSIONS

FOLDER, LIMIT_GB = "PACBED_CACHE", "PACBED_CACHE_GB"
USUAL_LIMIT_GB = 10.0
IN_USE_S = 3600.0  # what was opened this recently may still be read by somebody, and stays
# What a corrected calculation makes anew.
STAGES = ("simulate_rocking_block", "gather_rocking_table", "pack_bundle")
SUFFIXES = (BUNDLE_SUFFIX, ".npz")  # of entries
log = logging.getLogger(__name__)
Tell = Callable[[str], None]


def cache_folder() -> Path:
    """Where tables are kept."""
    asked = os.environ.get(FOLDER)
    return Path(asked) if asked else user_cache_path("pacbed", appauthor=False) / "bundles"


def cache_entry(bundle: Archive) -> Path:
    """The file of a slim bundle's table: named after its system, its content and the code that makes the table."""
    stages = ",".join(f"{stage} {STAGE_VERSIONS[stage]}" for stage in STAGES)
    return entry_of(bundle, stages)


def entry_of(bundle: Archive, depends_on: str, *, kind: str = "", suffix: str = BUNDLE_SUFFIX) -> Path:
    """The file of something made of a bundle.

    Parameters
    ----------
    bundle : Archive
        Its system and its content are in the name.
    depends_on : str
        Whatever else another entry would follow from.
    kind : str
        Part of the name, for entries that are no tables.
    suffix : str
        One of `SUFFIXES`.
    """
    key = hashlib.sha256(f"{bundle.sha256} {depends_on}".encode()).hexdigest()[:16]
    name = re.sub(r"[^A-Za-z0-9_-]", "_", bundle.meta.system)  # whatever a foreign bundle calls itself
    return cache_folder() / f"{name}{kind}-{key}{suffix}"


def cached_table(bundle: Archive, *, tell: Tell | None = None) -> Path:
    """The whole bundle of a slim one, made if nobody has made it yet.

    Parameters
    ----------
    bundle : Archive
        Without a table.
    tell : callable, optional
        Receives a line of progress; they go to standard error otherwise.

    Returns
    -------
    pathlib.Path
        A file in the cache, every byte of it checked.

    Raises
    ------
    FormatError
        The bundle does not say how its table is made.
    ParameterError
        `LIMIT_GB` is no size, or nothing can be written to the folder.
    """
    entry, tell = cache_entry(bundle), tell or tell_user
    if not _is_whole(entry, tell):
        limit_gb()  # before minutes of work
        _check_writable(entry.parent)
        who = f"{bundle.path.name}: another process is making the rocking table; waiting for it"
        with locked(lock_of(entry), waiting=lambda: tell(who)):
            if not _is_whole(entry, tell):
                _make(bundle, entry, tell)
    with suppress(PermissionError):  # a cache that belongs to somebody else
        os.utime(entry)  # when it was used last
    return entry


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise bad_value(FOLDER, str(folder), f"a folder that can be written to; the variable {FOLDER} names another")


def _make(bundle: Archive, entry: Path, tell: Tell) -> None:
    cores, started = os.cpu_count() or 1, time.monotonic()
    bundle.verify()
    tell(f"{bundle.path.name}: making the rocking table, once; it is kept in {entry.parent}")
    from pacbed.bundle.rebuild import build_table  # loads the simulation: only where a table is missing

    build_table(bundle.path, entry, jobs=cores, tell=lambda line: tell(f"{bundle.path.name}: {line}"))
    size, took = entry.stat().st_size / 1e6, time.monotonic() - started
    tell(f"{bundle.path.name}: table ready, {size:.0f} MB in {took:.0f} s")
    shrink_cache(entry.parent, limit_bytes=1e9 * limit_gb(), tell=tell)


def _is_whole(entry: Path, tell: Tell) -> bool:
    """Whether an entry is there with every byte as it was written."""
    if not entry.exists():
        return False
    try:
        archive = Archive(entry)
        archive.verify()
        return archive.holds(TABLE)
    except FormatError as error:
        tell(f"{error}; it is made again")
        return False


def limit_gb() -> float:
    """Size that the cache may have [GB].

    Raises
    ------
    ParameterError
        The environment variable is no such number.
    """
    asked = os.environ.get(LIMIT_GB, USUAL_LIMIT_GB)
    try:
        value = float(asked)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise bad_value(LIMIT_GB, asked, "a number from 0 up [GB]")
    return value


def shrink_cache(folder: Path, *, limit_bytes: float, tell: Tell) -> None:
    """Remove what killed processes left, and entries until the rest fits.

    Libraries go before tables, which take a minute to make again, and the longest unused before others.

    Parameters
    ----------
    folder : path
        The cache.
    limit_bytes : float
        What it may hold; entries used within `IN_USE_S` stay even so.
    tell : callable
        Receives a line for each table removed.
    """
    for left in folder.glob("*.part*"):
        entry = folder / f"{left.name.split('.')[0]}.pacbed"
        try:
            with locked(lock_of(entry)):
                shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
        except BlockingIOError:  # somebody is at work there
            continue
    entries = sorted(_entries(folder), key=lambda one: (one.path.suffix == BUNDLE_SUFFIX, one.used))
    total = sum(one.size for one in entries)
    for one in entries:
        if total <= limit_bytes:
            return
        if time.time() - one.used < IN_USE_S:
            continue
        total -= one.size
        for path in (one.path, lock_of(one.path)):  # nobody waits for what is there
            path.unlink(missing_ok=True)
        line = f"cache: {one.path.name} removed, it was used longest ago"
        log.info("%s", line)
        if one.path.suffix == BUNDLE_SUFFIX:
            tell(line)


class _Entry(NamedTuple):
    path: Path
    size: int
    used: float


def _entries(folder: Path) -> Iterator[_Entry]:
    """What is there; another process may remove it meanwhile."""
    for path in folder.iterdir():
        if path.suffix in SUFFIXES and ".part" not in path.name:
            with suppress(FileNotFoundError):
                found = path.stat()
                yield _Entry(path, found.st_size, found.st_mtime)


def lock_of(entry: Path) -> Path:
    """The file of the lock under which an entry is made."""
    return entry.with_suffix(".lock")
