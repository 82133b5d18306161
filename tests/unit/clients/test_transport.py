"""One request against servers that are busy, slow, broken, or not who they say they are."""

import json
import time
from email.utils import formatdate

import pytest
from pacbed_client import Service
from pacbed_client.errors import InputError, ServiceError, UnreachableError

from tests.unit.clients.conftest import answer

PROBLEM = json.dumps({"status": 429, "detail": "token: got more than 2 look-ups a minute"}).encode()
LIMITS = b'{"limits": {}}'


def busy(seconds, status="429 Too Many Requests"):
    """An answer that asks to come again."""
    headers = {} if seconds is None else {"Retry_After": seconds}
    return answer(status, PROBLEM, **headers)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_busy_service_is_asked_again_when_it_said(scripted, pauses, status):
    script = scripted(busy(7, status), busy(3, status), answer(body=LIMITS))
    assert Service(script.url, "secret").limits() == {"limits": {}}
    assert pauses == [7, 3]
    assert len(script.requests) == 3
    assert all(b"\r\nAuthorization: Bearer secret\r\n" in request for request in script.requests)


def test_a_time_is_understood_and_silence_means_longer_and_longer(scripted, pauses):
    script = scripted(busy(formatdate(time.time() + 30, usegmt=True)), busy(None), busy("soon"), busy(0), answer())
    Service(script.url).limits()
    assert pauses[0] == pytest.approx(30, abs=2)
    assert pauses[1:] == [2, 4, 0.5]


def test_patience_ends(scripted, pauses):
    script = scripted(busy(7), busy(57))
    with pytest.raises(ServiceError) as caught:
        Service(script.url, patience_s=60).limits()
    assert caught.value.status == 429
    said = "the service answers 429: token: got more than 2 look-ups a minute; to wait 57 s more is longer than"
    assert str(caught.value) == f"{said} patience_s=60"
    assert pauses == [7]


def test_a_service_that_is_always_busy_is_left_in_the_end(scripted, pauses):
    script = scripted(*[busy(0)] * 9)
    with pytest.raises(ServiceError):
        Service(script.url, patience_s=3.9).limits()
    assert pauses == [0.5] * 7


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("422 Unprocessable", b'{"detail": "file: got none"}', "the service answers 422: file: got none"),
        ("401 Unauthorized", b'{"detail": "token: got none"}', "the service answers 401: token: got none"),
        ("502 Bad Gateway", b"<html>nginx</html>", "the service answers 502: Bad Gateway"),
        ("500 Fault", b"[1]", "the service answers 500: Fault"),
        ("500 Fault", b'{"detail": ["a"]}', "the service answers 500: Fault"),
        ("404 Not Found", b"\xff", "the service answers 404: Not Found"),
    ],
)
def test_other_errors_are_told_at_once_in_the_services_words(scripted, pauses, status, body, said):
    with pytest.raises(ServiceError) as caught:
        Service(scripted(answer(status, body)).url).limits()
    assert str(caught.value) == said and pauses == []


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_the_token_follows_no_redirect(scripted, status):
    elsewhere = scripted(answer())
    script = scripted(answer(status, Location=elsewhere.url + "/api/v1/limits"))
    with pytest.raises(ServiceError, match=f"sends us on to {elsewhere.url}"):
        Service(script.url, "secret").limits()
    assert elsewhere.requests == []


def test_a_connection_that_breaks_is_tried_again_a_few_times(scripted, pauses):
    script = scripted(b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", answer(body=LIMITS))
    assert Service(script.url).limits() == {"limits": {}}
    with pytest.raises(UnreachableError, match="connection broke before there was a whole answer"):
        Service(scripted(b"", b"", b"", answer()).url).limits()
    assert pauses == [1, 2, 1, 2]


def test_what_is_no_http_is_a_sentence(scripted, pauses):
    with pytest.raises(UnreachableError, match="connection broke"):
        Service(scripted(*[b"SSH-2.0-OpenSSH\r\n\r\n"] * 3).url).limits()


def stalls(connection):
    """Nothing, for longer than anybody waits."""
    time.sleep(1.2)
    connection.sendall(answer())


def drips(connection):
    """A byte now and then."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(30):
        connection.sendall(b" ")
        time.sleep(0.1)


@pytest.mark.parametrize("behaviour", [stalls, drips])
def test_a_server_that_stalls_or_drips_is_left(scripted, pauses, behaviour):
    script = scripted(behaviour)
    started = time.monotonic()
    with pytest.raises(UnreachableError, match=r"no answer within 0\.5 s \(timeout_s\)"):
        Service(script.url, timeout_s=0.5).limits()
    assert time.monotonic() - started < 10 and pauses == []


def test_nobody_there_is_told_at_once(scripted, pauses):
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:1: nobody answers there"):
        Service("http://127.0.0.1:1").limits()
    with pytest.raises(UnreachableError, match=r"nothing\.invalid: nobody answers there"):
        Service("http://nothing.invalid").limits()


# Whom we trust


def test_ones_own_authority_is_trusted_and_no_other(scripted, authority, pauses):
    script = scripted(answer(body=LIMITS), context=authority.context)
    assert Service(script.url, "secret", ca_file=authority.certificate).limits() == {"limits": {}}
    strange = scripted(answer(), context=authority.context)
    with pytest.raises(UnreachableError, match=r"its certificate is not trusted \(.*ca_file"):
        Service(strange.url, "secret").limits()
    assert strange.requests == [] and pauses == []


def test_a_certificate_of_another_name_is_not_trusted(scripted, authority):
    script = scripted(answer(), context=authority.context)
    url = script.url.replace("localhost", "127.0.0.1")
    with pytest.raises(UnreachableError, match=r"not trusted .*127\.0\.0\.1"):
        Service(url, "secret", ca_file=authority.certificate).limits()
    assert script.requests == []


def test_certificates_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    for file in (tmp_path / "ca.pem", tmp_path / "none.pem"):
        with pytest.raises(InputError, match=r"ca_file: got .*accepted: certificates as PEM"):
            Service("https://localhost", ca_file=file)


def test_a_python_without_ssl_speaks_http(scripted, monkeypatch, pauses):
    monkeypatch.setattr("pacbed_client.transport.ssl", None)
    assert Service(scripted(answer(body=LIMITS)).url).limits() == {"limits": {}}
    with pytest.raises(UnreachableError, match="nobody answers there"):
        Service("http://127.0.0.1:1").limits()
    with pytest.raises(InputError, match="service: got https, accepted: http, because this Python"):
        Service("https://localhost")


def test_this_machine_is_asked_without_a_proxy_and_others_with_it(scripted, monkeypatch):
    proxy = scripted(answer(body=b'{"proxy": 1}'))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    assert Service(scripted(answer(body=LIMITS)).url).limits() == {"limits": {}}
    assert Service("http://pacbed.example.org").limits() == {"proxy": 1}
