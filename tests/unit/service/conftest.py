"""A real service in a process of its own, with the tiny bundle, for all tests over HTTP."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from tests import daemons

START_S = 120
STALL_S = 1.0
ANGLE = 14.0


@dataclass
class Server:
    """A service that runs.

    Attributes
    ----------
    process : subprocess.Popen
    url, token : str
    home, bundles : pathlib.Path
    """

    process: subprocess.Popen
    url: str
    token: str
    home: Path
    bundles: Path

    def client(self, token=""):
        """A client with the token of the start, another one, or none (`None`)."""
        token = self.token if token == "" else token
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120)

    def new_token(self, name):
        """A named token, made as the operator makes one."""
        config = self.home.parent / "service.yaml"
        command = [sys.executable, "-m", "pacbed.cli", "service", "token", "add", name, "--config", str(config)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def workers(self):
        """Processes that compute."""
        from pacbed.service.workers.pool import workers_of

        return workers_of(psutil.Process(self.process.pid))

    def scratch(self):
        """What requests have left behind."""
        return list((self.home / "scratch").iterdir())

    def wait_for(self, what, seconds=START_S):
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, f"waited {seconds} s"
            assert self.process.poll() is None, "the service ended"
            time.sleep(0.1)


def start(folder, bundle_file, **settings):
    """Start a service and wait until it is ready."""
    home = prepare(folder, bundle_file, **settings)
    server = launch(folder, home)
    with server.client() as client:
        server.wait_for(lambda: client.get("/readyz").status_code == 200)
    return server


def prepare(folder, bundle_file, **settings):
    """Write the settings of a service with one bundle; returns its home."""
    home, bundles = folder / "home", folder / "bundles"
    bundles.mkdir()
    shutil.copy(bundle_file, bundles / "tiny.pacbed")
    os.utime(bundles / "tiny.pacbed", (1e9, 1e9))
    usual = {"shipped": False, "home": str(home), "bundles": str(bundles), "workers": 1}
    (folder / "service.yaml").write_text(json.dumps({**usual, **settings}))
    return home


def launch(folder, home, name="", port=0):
    """Start a server with the settings in a folder, until it has said where it is."""
    command = [sys.executable, "-m", "pacbed.cli", "serve", "--config", folder / "service.yaml", "--port", port]
    command += ["--token-file", folder / f"url{name}"]
    with (folder / f"log{name}").open("ab") as log:
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=log)
    server = Server(process, "", "", home, folder / "bundles")
    server.wait_for((folder / f"url{name}").exists)
    server.url, server.token = (folder / f"url{name}").read_text().strip().split("/?token=")
    return server


def stop(server):
    """Ask a service to end, and see that it does."""
    server.process.terminate()
    assert server.process.wait(60) is not None


@pytest.fixture(scope="session")
def postgresql():
    """PostgreSQL, where it is installed."""
    with daemons.postgresql() as running:
        yield running


@pytest.fixture(scope="session")
def redis():
    """Redis, where it is installed."""
    with daemons.redis() as running:
        yield running


@pytest.fixture(scope="session")
def redis_url(redis):
    """Its address."""
    return redis.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """An empty database of each kind that is installed."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'service.sqlite'}"
        return
    with request.getfixturevalue("postgresql").database(tmp_path.name) as url:
        yield url


LIMITS = {"stall_s": STALL_S, "at_once": 2, "per_minute": 5}


@pytest.fixture(scope="session")
def sqlite_server(tiny_bundle_file, tmp_path_factory):
    """A service as one person starts it."""
    running = start(tmp_path_factory.mktemp("service"), tiny_bundle_file, limits=LIMITS)
    yield running
    stop(running)


@pytest.fixture(scope="session")
def postgresql_server(tiny_bundle_file, tmp_path_factory, postgresql, redis_url):
    """A service with the database and the counters of an institute."""
    with postgresql.database("one_server") as url:
        settings = {"limits": LIMITS, "database": url, "counters": redis_url}
        running = start(tmp_path_factory.mktemp("institute"), tiny_bundle_file, **settings)
        yield running
        stop(running)


@pytest.fixture(scope="session")
def server(sqlite_server):
    """The service of most tests."""
    return sqlite_server


@pytest.fixture
def client(server):
    """A client with the token of the start."""
    with server.client() as one:
        yield one
    assert server.process.poll() is None


@pytest.fixture(scope="session")
def pattern(camera):
    """A recorded pattern of the tiny bundle's crystal."""
    return camera()


@pytest.fixture(scope="session")
def npy(pattern):
    """The same as the bytes of a file."""
    return as_npy(pattern)


def as_npy(array):
    """An array as the bytes of an NPY file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.fixture(scope="session")
def known(server, pattern):
    """A look-up that is in the store, with a sheet, of a pattern that no other test asks about."""
    return ask_known(server, as_npy(pattern + 17))


def ask_known(server, npy):
    """Ask for a look-up with a sheet."""
    with server.client() as one:
        answer = one.post("/api/v1/lookups", files={"file": ("known.npy", npy)}, data=asked(sheet="link"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def asked(**fields):
    """Fields beside a file."""
    return {"bundle": "tiny", "convergence_mrad": str(ANGLE), **fields}
