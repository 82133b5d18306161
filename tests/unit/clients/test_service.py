"""A service as the client sees it."""

import pytest
from pacbed_client import Service
from pacbed_client.errors import InputError, ServiceError
from pacbed_client.service import HERE, service_of

from pacbed.service.server import write_secret
from pacbed.service.settings import Settings
from tests.unit.clients.conftest import answer


def test_here_is_where_the_service_listens():
    settings = Settings()
    assert f"http://{settings.host}:{settings.port}" == HERE == Service().url


def test_a_token_comes_with_the_url_or_beside_it_and_is_not_shown():
    for service in (Service("http://a/?token=secret"), Service("http://a", "secret"), Service("http://a/", "secret")):
        assert service.url == "http://a" and service.token == "secret"
        assert "secret" not in repr(service)


@pytest.mark.parametrize("name", ["timeout_s", "patience_s"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "1", True])
def test_times_are_numbers(name, value):
    with pytest.raises(InputError, match=f"{name}: got"):
        Service(HERE, **{name: value})


def test_no_time_at_all_is_no_time_out():
    with pytest.raises(InputError, match="timeout_s: got 0"):
        Service(HERE, timeout_s=0)
    assert Service(HERE, patience_s=0).patience_s == 0


def test_a_service_is_meant_in_four_ways(tmp_path):
    write_secret("https://a/?token=x\n", tmp_path / "url")
    write_secret("x\n", tmp_path / "token")
    known = Service("https://a", "x")
    assert service_of(known) is known
    assert service_of("https://a/?token=x", timeout_s=5) == Service("https://a", "x", timeout_s=5)
    assert service_of(tmp_path / "url") == known
    assert service_of(str(tmp_path / "token")) == Service(HERE, "x")
    with pytest.raises(InputError, match="No such file"):
        service_of("url.txt")


@pytest.mark.parametrize("body", [b"<html></html>", b"\xff", b"[1]", b"3"])
def test_an_answer_of_something_else_is_no_answer(scripted, body):
    with pytest.raises(ServiceError, match="is it a pacbed service"):
        Service(scripted(answer(body=body)).url).limits()
    if body != b"[1]":
        with pytest.raises(ServiceError, match="is it a pacbed service"):
            Service(scripted(answer(body=body)).url).bundles()


def test_a_path_before_the_api_stays(scripted):
    script = scripted(answer())
    Service(script.url + "/pacbed/").limits()
    assert script.requests[0].startswith(b"GET /pacbed/api/v1/limits HTTP/1.1\r\n")
