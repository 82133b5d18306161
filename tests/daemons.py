"""PostgreSQL, Redis and nginx of the tests' own: loopback, free ports, a temporary folder, ended whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

READY_S, STOP_S = 60, 15
UNPRIVILEGED, GROUP = "nobody", "nogroup"  # PostgreSQL refuses to be root
DEBIAN = Path("/usr/lib/postgresql")


def program(name: str) -> str | None:
    """Path of an installed program; Debian keeps PostgreSQL's off the search path."""
    versions = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return shutil.which(name) or (str(versions[-1]) if versions else None)


def needed(*names: str) -> list[str]:
    """Paths of programs; the test is skipped, and says so, where one is missing."""
    paths = [program(name) for name in names]
    missing = [name for name, path in zip(names, paths, strict=True) if path is None]
    if missing:
        pytest.skip(f"NOT TESTED HERE: {', '.join(missing)} missing; .ci/service_packages installs them")
    return [str(path) for path in paths]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that a daemon without privileges can use and nobody else; pytest's are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="pacbed-tests-"))
    if os.getuid() == 0:
        import pwd  # not everywhere

        user = pwd.getpwnam(UNPRIVILEGED)
        os.chown(folder, user.pw_uid, user.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def unprivileged(*command: str | Path, dies_with: str = "") -> list[str]:
    """A command as another user where we are root, and one that ends when this process does, even if that is killed."""
    words = [str(word) for word in command]
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return words
    user = ["--reuid", UNPRIVILEGED, "--regid", GROUP, "--clear-groups"] if os.getuid() == 0 else []
    return [setpriv, *user, *(["--pdeathsig", dies_with] if dies_with else []), *words]


@contextmanager
def running(command: list[str], log: Path, ready: Callable[[], bool], stop: int = signal.SIGTERM) -> Iterator[int]:
    """A daemon in the foreground, from when it is ready; yields its process id."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=log.parent)
    try:
        end = time.monotonic() + READY_S
        while not ready():
            alive = process.poll() is None and time.monotonic() < end
            assert alive, f"{command} does not start: {log.read_text(errors='replace')[-2000:]}"
            time.sleep(0.05)
        yield process.pid
    finally:
        process.send_signal(stop)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listens(port: int) -> bool:
    """Whether somebody answers on a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@dataclass(frozen=True)
class Postgresql:
    """A server with the account `pacbed`.

    Attributes
    ----------
    port : int
    password : str
    """

    port: int
    password: str

    def url(self, database: str) -> str:
        """URL of a database."""
        return f"postgresql+psycopg://pacbed:{self.password}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """An empty database while it is needed; yields its URL."""
        self._say(f'CREATE DATABASE "{name}"')
        try:
            yield self.url(name)
        finally:
            self._say(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _say(self, statement: str) -> None:
        import psycopg

        place = f"postgresql://pacbed:{self.password}@127.0.0.1:{self.port}/postgres"
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """PostgreSQL, skipped where it is not installed."""
    initdb, postgres = needed("initdb", "postgres")
    port, password = free_port(), "a-password-of-tests"
    with own_folder() as folder:
        secret, data = folder / "password", folder / "data"
        secret.write_text(password)
        secret.chmod(0o644)
        options = ["--auth=scram-sha-256", f"--pwfile={secret}", "--username=pacbed", "--no-sync", "--encoding=UTF8"]
        made = subprocess.run(
            unprivileged(initdb, "-D", data, "--locale=C", *options), capture_output=True, text=True, cwd=folder
        )
        assert made.returncode == 0, made.stderr
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
        command = [postgres, "-D", data, *(f"--{name}={value}" for name, value in settings.items())]
        with running(
            unprivileged(*command, dies_with="INT"), folder / "log", lambda: accepts(port, password), signal.SIGINT
        ):
            yield Postgresql(port, password)


def accepts(port: int, password: str) -> bool:
    """Whether PostgreSQL lets the account in."""
    import psycopg

    with suppress(psycopg.Error):
        psycopg.connect(f"postgresql://pacbed:{password}@127.0.0.1:{port}/postgres", connect_timeout=2).close()
        return True
    return False


class Redis(NamedTuple):
    """A server; `pid` is its process."""

    url: str
    pid: int


@contextmanager
def redis() -> Iterator[Redis]:
    """Redis that keeps nothing on the disk, skipped where it is not installed."""
    (server,) = needed("redis-server")
    port, password = free_port(), "another-password-of-tests"
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--requirepass", password]
    with own_folder() as folder:
        command = unprivileged(server, *options, "--dir", folder, dies_with="TERM")
        with running(command, folder / "log", lambda: listens(port)) as pid:
            yield Redis(f"redis://:{password}@127.0.0.1:{port}/0", pid)
