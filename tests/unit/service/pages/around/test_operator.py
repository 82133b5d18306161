"""The operator's page: tokens made, shown once and revoked; feedback, queue and audit; for nobody else."""

from __future__ import annotations

import re

import pytest

from tests.unit.service.conftest import asked
from tests.unit.service.pages.conftest import COOKIE, browser

TOKENS = "/operator/tokens"


def test_a_token_is_made_shown_once_and_revoked(server, visitor):
    made = visitor.post(TOKENS, data={"name": " carol ", "days": "30"})
    assert made.status_code == 200 and "never shown again" in made.text
    secret = re.search(r"pacbed_[\w-]{20,}", made.text).group()
    page = visitor.get("/operator").text
    assert secret not in page and "carol" in page
    with server.client(secret) as carol:
        assert carol.get("/api/v1/limits").status_code == 200
        assert visitor.post(f"{TOKENS}/carol/revoke").status_code == 303
        assert carol.get("/api/v1/limits").status_code == 401
    page = visitor.get("/operator").text
    assert "revoked" in page and f"{TOKENS}/carol/revoke" not in page
    again = visitor.post(TOKENS, data={"name": "carol"})
    assert again.status_code == 422 and "that no token has had" in again.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "<b>"}, "letters, digits"),
        ({"name": "dora", "days": "soon"}, "days: got &#39;soon&#39;"),
        ({"name": "dora", "days": "-1"}, "above 0"),
        ({"name": "dora", "days": "nan"}, "above 0"),
    ],
)
def test_what_is_no_token_is_told_on_the_page(visitor, fields, said):
    answer = visitor.post(TOKENS, data=fields)
    assert answer.status_code == 422 and said in answer.text and "<b>" not in answer.text
    assert "Name of a new token" in answer.text


def test_revoking_what_is_not_there(visitor):
    answer = visitor.post(f"{TOKENS}/nobody/revoke")
    assert answer.status_code == 422 and "the name of a token" in answer.text


def test_the_page_is_the_operators(server, visitor, stranger):
    assert stranger.get("/operator").status_code == 401
    with browser(server, signed_in=False) as named:
        named.cookies.set(COOKIE, server.new_token("operator-page-test"))
        assert named.get("/operator").status_code == 403
        assert named.post(TOKENS, data={"name": "eve"}).status_code == 403
        assert named.post(f"{TOKENS}/operator-page-test/revoke").status_code == 403
        assert 'href="/operator"' not in named.get("/limits").text
    assert ">eve<" not in visitor.get("/operator").text


def test_other_sites_make_and_revoke_nothing(visitor):
    for url, data in ((TOKENS, {"name": "mallory"}), (f"{TOKENS}/operator-page-test/revoke", {})):
        assert visitor.post(url, data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert visitor.post(url, data=data, headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert "mallory" not in visitor.get("/operator").text


def test_feedback_is_listed_as_text(client, visitor, npy):
    sent = client.post("/api/v1/lookups", files={"file": ("fed back.npy", npy)}, data=asked(pixel_mrad="0.4")).json()
    said = {"answer": "wrong", "thickness_nm": 31.25, "comment": "<script>alert(1)</script>\nEELS"}
    assert client.post(f"/api/v1/lookups/{sent['id']}/feedback", json=said).status_code == 204
    page = visitor.get("/operator").text
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page and "31.25 nm" in page
    assert f'<a href="/lookups/{sent["id"]}">fed back.npy</a>' in page and 'href="/api/v1/feedback?format=csv"' in page
    table = visitor.get("/api/v1/feedback?format=csv")
    assert table.headers["content-type"].startswith("text/csv") and "EELS" in table.text


def test_queue_workers_and_requests(server, client, visitor):
    client.get("/api/v1/limits")
    page = visitor.get("/operator").text
    assert str(server.workers()[0].pid) in page and "nobody waits" in page
    assert "GET /api/v1/limits" in page and "/static" not in page.partition("The latest requests")[2]
    assert server.token not in page


def test_asking_for_the_state_fills_no_audit(server, client):
    lines = (server.home / "audit.jsonl").read_text().count("\n")
    for url in ("/api/v1/state", "/healthz", "/static/style.css", "/metrics"):
        assert client.get(url).status_code == 200
    assert client.get("/static/nothing.css").status_code == 404
    assert client.get("/api/v1/limits").status_code == 200
    assert (server.home / "audit.jsonl").read_text().count("\n") == lines + 2
    assert 'route="/static"' in client.get("/metrics").text
