"""Servers that share a home: each takes a seat, which is free again when its process ends, however it ended."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from pacbed.errors import ConfigError
from pacbed.locks import locked
from pacbed.outputs import file_aside
from pacbed.service.settings import Settings
from pacbed.service.store.tokens import new_secret

SERVERS, SCRATCH = "servers", "scratch"
START = "start.json"
MODE = 0o600
# Where SQLite's write-ahead log cannot be shared (https://sqlite.org/wal.html): all processes must be on one machine.
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "smb2", "afs", "9p", "ceph", "lustre", "beegfs", "gpfs", "ncpfs"}
NETWORK |= {"fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.beegfs", "virtiofs", "davfs", "fuse.rclone", "fuse.s3fs"}


class Seat(NamedTuple):
    """A server among those that share a home.

    Attributes
    ----------
    number : int
        From 1 up; two that run never have the same.
    token : str
        Of this start: that of the servers that run already, or a new one.
    """

    number: int
    token: str


@contextmanager
def taken_seat(settings: Settings) -> Iterator[Seat]:
    """Hold a seat, and clear what killed servers left in the folder for requests.

    Parameters
    ----------
    settings : Settings
        ``servers`` is the number of seats.

    Raises
    ------
    ConfigError
        None is free; those that run count or keep elsewhere; or the database cannot be shared where it lies.
    """
    if settings.servers > 1:
        _refuse_network_folder(settings)
    folder = settings.home / SERVERS
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        with locked(folder / "start.lock", waiting=_patience):
            others = _held(folder)
            if len(others) >= settings.servers:
                raise ConfigError(
                    f"servers: got {settings.servers}, accepted: more than the {len(others)} that run on "
                    f"{settings.home} already (docs/deploy.md says what several need)"
                )
            number = min(set(range(1, settings.servers + 1)) - others)
            token = _agreed(settings) if others else _begin(settings)
            _clear(settings.home / SCRATCH, others)
            held.enter_context(locked(folder / f"{number}.lock"))
        yield Seat(number, token)


def _patience() -> None:
    """Starts are short."""


def _held(folder: Path) -> set[int]:
    """Seats of processes that live."""
    found = set()
    for path in folder.glob("*.lock"):
        if path.stem.isdigit():
            try:
                with locked(path):
                    continue
            except BlockingIOError:
                found.add(int(path.stem))
    return found


def _begin(settings: Settings) -> str:
    """A new token, for this server and those that join it."""
    token = new_secret()
    write_secret(json.dumps({"token": token, "shared": _shared(settings)}), settings.home / SERVERS / START)
    return token


def _agreed(settings: Settings) -> str:
    """Token of the servers that run."""
    path = settings.home / SERVERS / START
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        token, shared = str(content["token"]), content["shared"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: missing or damaged ({type(error).__name__}); end all servers and start") from None
    if shared != _shared(settings):
        raise ConfigError(
            f"database, counters: got others than the servers that run on {settings.home}, accepted: the same; "
            "end all servers before they change"
        )
    return token


def _shared(settings: Settings) -> str:
    """What all servers must have in common, without its passwords."""
    return hashlib.sha256(f"{settings.database_url} {settings.counters}".encode()).hexdigest()


def _clear(scratch: Path, others: set[int]) -> None:
    """Remove folders of requests whose server is gone."""
    scratch.mkdir(exist_ok=True)
    for left in scratch.iterdir():
        if left.name.partition("-")[0] not in {str(number) for number in others}:
            shutil.rmtree(left, ignore_errors=True)


def _refuse_network_folder(settings: Settings) -> None:
    file = settings.sqlite_file
    kind = "" if file is None else filesystem_of(file)
    if kind in NETWORK:
        raise ConfigError(
            f"database: got SQLite in a folder of the network ({file}, {kind}) together with servers: "
            f"{settings.servers}, accepted: PostgreSQL, or a folder of this machine"
        )


def filesystem_of(path: Path) -> str:
    """Kind of the file system on which a file lies or would lie, such as "ext4"; empty where that is not known."""
    place = path.absolute().resolve()
    parts = [(Path(part.mountpoint), part.fstype) for part in psutil.disk_partitions(all=True)]
    above = [(len(mount.parts), kind) for mount, kind in parts if place.is_relative_to(mount)]
    return max(above, default=(0, ""), key=lambda one: one[0])[1].lower()


def write_secret(text: str, path: Path) -> None:
    """Write a file that only its owner can read; it appears complete or not at all."""
    with file_aside(path) as aside:
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "w", encoding="utf-8") as file:
            file.write(text)
