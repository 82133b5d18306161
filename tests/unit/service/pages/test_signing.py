"""Signing in and out, and what other sites cannot do with the cookie."""

from __future__ import annotations

import pytest

from pacbed.service.pages.signing import local_path
from tests.unit.service.pages.conftest import COOKIE


def test_the_token_leaves_the_address_and_becomes_a_cookie(server, stranger):
    answer = stranger.get("/sign-out-does-not-exist", params={"token": server.token})
    assert answer.status_code == 404  # no page: nothing is kept
    answer = stranger.get("/", params={"token": server.token, "x": "1"})
    assert answer.status_code == 303 and answer.headers["location"] == "/?x=1"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}={server.token};") and "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert "Secure" not in cookie and "Expires" not in cookie and "Max-Age" not in cookie
    assert stranger.get("/").status_code == 200


def test_without_a_token_the_form_is_shown_without_a_reproach(stranger):
    answer = stranger.get("/")
    assert answer.status_code == 401 and 'name="token"' in answer.text and "Error" not in answer.text
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_that_does_not_hold_is_told(stranger):
    stranger.cookies.set(COOKIE, "pacbed_old")
    answer = stranger.get("/")
    assert answer.status_code == 401 and "does not hold" in answer.text and 'name="token"' in answer.text
    answer = stranger.post("/sign-in", data={"token": "pacbed_other"})
    assert answer.status_code == 401 and "does not hold" in answer.text and "set-cookie" not in answer.headers


@pytest.mark.parametrize("pasted", ["{}", "  {} ", "http://127.0.0.1:8230/?token={}"])
def test_a_named_token_signs_in_by_the_form(server, stranger, pasted, request):
    secret = server.new_token(f"alice-{abs(hash(pasted)) % 10**8}")
    answer = stranger.post("/sign-in", data={"token": pasted.format(secret), "to": "/?bundle=tiny"})
    assert answer.status_code == 303 and answer.headers["location"] == "/?bundle=tiny"
    page = stranger.get("/")
    assert page.status_code == 200 and "alice-" in page.text and "/operator" not in page.text


def test_signing_out_forgets_the_token(visitor):
    assert "/operator" in visitor.get("/").text
    answer = visitor.post("/sign-out")
    assert answer.status_code == 303 and f'{COOKIE}=""' in answer.headers["set-cookie"]
    visitor.cookies.clear()
    assert visitor.get("/").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),  # a cookie alone does not say where it comes from
        ({"Sec-Fetch-Site": "same-origin"}, 303),
    ],
)
def test_posts_of_other_sites_are_refused(server, visitor, headers, status):
    del visitor.headers["Sec-Fetch-Site"]
    assert visitor.post("/sign-out", headers=headers).status_code == status
    del visitor.headers["Accept"]
    if status == 403:
        refused = visitor.post("/api/v1/lookups", headers=headers)
        assert refused.status_code == 403 and "another site" in refused.json()["detail"]


def test_posts_of_the_own_origin_pass_without_tls_too(server, visitor):
    """Browsers send `Sec-Fetch-Site` over TLS and to this machine alone."""
    del visitor.headers["Sec-Fetch-Site"]
    assert visitor.post("/sign-out", headers={"Origin": server.url}).status_code == 303


def test_a_program_with_a_token_needs_no_origin(client):
    assert client.post("/api/v1/lookups").status_code == 422


def test_the_api_takes_the_cookie(visitor):
    assert visitor.get("/api/v1/limits").json()["left"]["per_minute"] is None


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/lookups/ab?x=1", "/lookups/ab?x=1"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\nb", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_led_elsewhere(given, path):
    assert local_path(given) == path
