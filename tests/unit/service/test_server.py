"""The start of the service: its secret, its log, its port, and its end."""

import json
import logging
import signal
import socket

import pytest

from pacbed.errors import ParameterError
from pacbed.service.server import JsonLines, _listening, serve
from pacbed.service.settings import Settings
from tests.unit.service.conftest import as_npy, asked, start


def test_a_log_line_is_json_without_what_terminals_obey():
    record = logging.LogRecord("pacbed", logging.INFO, "", 1, "name %s", ("\x1b[2Jé",), None)
    record.entry = {"request": "abc"}
    line = JsonLines().format(record)
    assert line.isascii() and line.isprintable() and json.loads(line)["request"] == "abc"


def test_a_port_that_is_taken_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("pacbed.service.server.log_as_json", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ParameterError, match=rf"host, port: got '127.0.0.1:{port}'"):
            serve(Settings(home=tmp_path, port=port, shipped=False))


def test_the_end_lets_a_look_up_finish_and_its_store_outlives_it(tiny_bundle_file, tmp_path, pattern):
    """SIGTERM while a worker computes: the answer still comes; a second start has it in its store."""
    from threading import Thread

    (tmp_path / "a").mkdir()
    running = start(tmp_path / "a", tiny_bundle_file, open=True)
    answers = []

    def look_up():
        with running.client(None) as client:
            files = {"file": ("a.npy", as_npy(pattern))}
            answers.append(client.post("/api/v1/lookups", files=files, data=asked(sheet="link")))

    with running.client() as client:
        at_work = Thread(target=look_up)
        at_work.start()
        running.wait_for(lambda: "pacbed_running 1.0" in client.get("/metrics").text, 20)
    running.process.send_signal(signal.SIGTERM)
    at_work.join(60)
    assert running.process.wait(60) in (0, -signal.SIGTERM)
    assert answers[0].status_code == 200
    assert list((running.home / "scratch").iterdir()) == []
    assert (running.home / "answers" / answers[0].json()["id"][:2]).is_dir()


def test_answers_do_not_wait_for_an_acknowledgement(tmp_path):
    """Nagle's algorithm holds the second part of an answer back for 40 ms."""
    with _listening(Settings(home=tmp_path, port=0)) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
