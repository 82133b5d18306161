"""The client against a real service, and against servers that behave badly."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from pacbed_client import Service

from pacbed.patterns import Geometry
from tests.unit.service.conftest import ANGLE, start, stop

ASKED = {"bundle": "tiny", "convergence_mrad": ANGLE}
PER_MINUTE = 2


@pytest.fixture(scope="session")
def server(tiny_bundle_file, tmp_path_factory):
    """A service in a process of its own; named tokens soon have enough."""
    running = start(tmp_path_factory.mktemp("client"), tiny_bundle_file, limits={"per_minute": PER_MINUTE})
    yield running
    stop(running)


@pytest.fixture(scope="session")
def service(server):
    """The same as the client sees it."""
    return Service(server.url, server.token)


@pytest.fixture(scope="session")
def pattern(camera):
    """A recorded pattern of the tiny bundle's crystal."""
    return camera()


@pytest.fixture(scope="session")
def large_pattern(camera):
    """The same on 1100 x 1030 pixels, an eighth as large."""
    geometry = Geometry((1100, 1030), 0.06, (500.3, 560.6), 25.0)
    return np.round(camera(geometry=geometry, electrons=2e9)).astype(np.uint32)


@dataclass
class Script:
    """A server that answers connections one after another with what it is told, over real sockets.

    Attributes
    ----------
    answers : list of bytes or callable
        For each connection what is sent, or what is done with it.
    requests : list of bytes
        What came.
    """

    answers: list
    requests: list = field(default_factory=list)
    url: str = ""

    def run(self, listening, context):
        """Answer until there is nothing more to say."""
        for answer in self.answers:
            connection, _ = listening.accept()
            try:
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                self.requests.append(read_request(connection))
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)
            except OSError:  # the client had enough
                pass
            finally:
                connection.close()


def read_request(connection):
    """A whole request: up to the end of its body."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while length and len(body) < length[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(status="200 OK", body=b"{}", **headers):
    """An answer as bytes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture
def scripted():
    """Function that starts a `Script`, with TLS where a context is given."""
    running = []

    def begin(*answers, context=None, host="127.0.0.1"):
        listening = socket.create_server((host, 0))
        listening.settimeout(20)
        script = Script(list(answers))
        scheme = "http" if context is None else "https"
        script.url = f"{scheme}://localhost:{listening.getsockname()[1]}"
        thread = threading.Thread(target=quietly(script.run), args=(listening, context))
        thread.start()
        running.append((listening, thread))
        return script

    yield begin
    for listening, thread in running:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(30)
        assert not thread.is_alive()


def quietly(run):
    """A thread that ends when its socket does."""

    def inner(*given):
        with suppress(OSError):
            run(*given)

    return inner


@pytest.fixture
def pauses(monkeypatch):
    """What the client would have slept."""
    slept: list[float] = []
    monkeypatch.setattr("pacbed_client.transport.time", Clock(slept))
    return slept


class Clock:
    """Time whose pauses take none."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self, slept):
        self.sleep = slept.append


@dataclass
class Authority:
    """A certificate authority of the tests."""

    certificate: Path
    context: ssl.SSLContext


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Made by openssl: an authority, and a certificate of `localhost` that it signed."""
    folder = tmp_path_factory.mktemp("authority")

    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Tests")
    openssl(
        *("req", "-x509", *curve, "-keyout", "key.pem", "-out", "host.pem", "-subj", "/CN=localhost"),
        *("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=DNS:localhost"),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "host.pem", folder / "key.pem")
    return Authority(folder / "ca.pem", context)
