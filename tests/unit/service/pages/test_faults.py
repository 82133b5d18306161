"""Errors as pages for people, and as before for programs."""

from __future__ import annotations


def test_a_browser_sees_a_page_with_the_sentence_and_what_to_do(visitor):
    answer = visitor.get(f"/api/v1/lookups/{'0' * 64}")
    assert answer.status_code == 404 and answer.headers["content-type"].startswith("text/html")
    assert "accepted: the id of a look-up of this token" in answer.text and "may have been deleted" in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert "Operator" in answer.text  # it is known whose page it is


def test_a_program_gets_a_problem(client):
    answer = client.get("/nothing")
    assert answer.status_code == 404 and answer.headers["content-type"] == "application/problem+json"


def test_what_was_sent_is_shown_as_text(visitor):
    answer = visitor.get("/api/v1/lookups", params={"limit": "<script>alert(1)</script>"})
    assert answer.status_code == 422 and "<script>alert" not in answer.text and "&lt;script&gt;" in answer.text
