"""Who somebody is, and how much they may ask."""

import pytest

from pacbed.service.http.callers import token_owner
from pacbed.service.problems import ServiceError
from pacbed.service.settings import Settings
from pacbed.service.state import Service
from pacbed.service.store.tokens import ANYBODY, START


def service(home, **settings):
    return Service(Settings(home=home, shipped=False, workers=1, **settings), "the-secret-of-this-start")


def test_owners(tmp_path):
    one = service(tmp_path)
    assert one.owner_of("the-secret-of-this-start") == START
    assert one.owner_of(one.tokens.add("alice")) == "alice"
    for secret in (None, "", "guessed"):
        with pytest.raises(ServiceError) as caught:
            one.owner_of(secret)
        assert caught.value.status == 401
    assert service(tmp_path / "b", open=True).owner_of(None) == ANYBODY


def test_a_look_up_is_counted_while_it_runs(tmp_path):
    one = service(tmp_path, limits={"at_once": 1, "per_minute": 2})
    with one.allowance("alice"):
        with pytest.raises(ServiceError, match="at once"), one.allowance("alice"):
            pass
        assert one.left("alice") == {"per_minute": 1, "at_once": 0, "kept_bytes": 2e9}
    for _ in range(9):  # the token of the start has no limits
        with one.allowance(START):
            pass
    assert one.left(START) == {"per_minute": None, "at_once": None, "kept_bytes": None}


def test_pictures_are_counted_apart_from_look_ups(tmp_path):
    one = service(tmp_path, limits={"per_minute": 2, "views": 3})
    for _ in range(3):
        one.count_view("alice")
        one.count_view(START)
    with pytest.raises(ServiceError, match="3 pictures a minute") as caught:
        one.count_view("alice")
    assert caught.value.status == 429 and 1 <= caught.value.retry_s <= 60
    one.count_view(START)
    one.count_view("bob")
    assert one.left("alice")["per_minute"] == 2


def test_an_open_service_does_not_mind_the_cookie_of_another_start(tmp_path):
    closed, opened = service(tmp_path / "a"), service(tmp_path / "b", open=True)
    with pytest.raises(ServiceError):
        token_owner(closed, None, "of another start")
    assert token_owner(opened, None, "of another start") == ANYBODY
    assert token_owner(opened, None, "the-secret-of-this-start") == START
    with pytest.raises(ServiceError):  # who shows a token means it
        token_owner(opened, "of another start", None)


def test_what_is_kept_is_limited(tmp_path, monkeypatch):
    one = service(tmp_path)
    monkeypatch.setattr(one.lookups, "kept_bytes", lambda owner: 3 * 10**9)
    with pytest.raises(ServiceError, match="2 GB are kept") as caught, one.allowance("alice"):
        pass
    assert caught.value.status == 507


def test_a_request_leaves_nothing_and_its_folder_says_whose_it_is(tmp_path):
    one = Service(Settings(home=tmp_path, shipped=False, workers=1), "secret", seat=3)
    with one.scratch() as folder:
        (folder / "upload" / "x").write_bytes(b"x")
        assert folder.name.startswith("3-")
    assert not folder.exists()


def test_metrics_are_texts_of_prometheus(tmp_path):
    one = service(tmp_path)
    one.metrics.request("/api/v1/lookups", 200, 0.3)
    one.metrics.lookup("tiny", "ok", again=True)
    text = one.metrics.text(waiting=3, running=1, workers_replaced=0, bundles_ready=1).decode()
    assert 'pacbed_requests_total{route="/api/v1/lookups",status="200"} 1.0' in text
    assert 'pacbed_lookups_total{bundle="tiny",verdict="ok"} 1.0' in text and "pacbed_waiting 3.0" in text
