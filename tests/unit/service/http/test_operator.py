"""What the operator alone is told: feedback of everybody, queue and workers."""

from __future__ import annotations

import csv
import io

import pytest

from tests.unit.service.conftest import asked

FEEDBACK, STATE = "/api/v1/feedback", "/api/v1/state"


@pytest.fixture(scope="module")
def named(server):
    """Token of somebody who has said something of an answer."""
    return server.new_token("operator-test")


@pytest.fixture(scope="module")
def said(server, named, npy):
    """Id of the look-up of which it was said."""
    with server.client(named) as one:
        lookup = one.post("/api/v1/lookups", files={"file": ("edge.npy", npy)}, data=asked(sheet="link")).json()["id"]
        body = {"answer": "wrong", "thickness_nm": 12.5, "comment": "=EELS"}
        assert one.post(f"/api/v1/lookups/{lookup}/feedback", json=body).status_code == 204
    return lookup


def test_feedback_of_everybody_as_json_and_table(client, said):
    entry = next(one for one in client.get(FEEDBACK).json() if one["owner"] == "operator-test")
    assert entry["lookup"] == said
    assert (entry["owner"], entry["input"], entry["answer"]) == ("operator-test", "edge.npy", "wrong")
    assert entry["other_thickness_nm"] == 12.5 and entry["comment"] == "=EELS"
    table = client.get(FEEDBACK, params={"format": "csv"})
    assert table.headers["content-type"].startswith("text/csv") and "attachment" in table.headers["content-disposition"]
    (row,) = [one for one in csv.DictReader(io.StringIO(table.text, newline="")) if one["owner"] == "operator-test"]
    assert row["comment"] == "'=EELS" and float(row["thickness_nm"]) == pytest.approx(entry["thickness_nm"])


def test_queue_and_workers(client, server):
    state = client.get(STATE).json()
    assert state["ready"] and (state["waiting"], state["waiting_by_token"]) == (0, {})
    assert [one["pid"] for one in state["workers"]] == [one.pid for one in server.workers()]
    assert state["workers"][0]["memory_mb"] > 50 and state["workers"][0]["cpu_s"] > 0.1


@pytest.mark.parametrize("url", [FEEDBACK, STATE])
def test_nobody_else_is_told(server, named, url):
    with server.client(named) as one:
        answer = one.get(url)
        assert answer.status_code == 403 and "accepted: the token that the service printed" in answer.json()["detail"]
    with server.client(None) as one:
        assert one.get(url).status_code == 401


def test_a_list_may_be_bounded(client, said):
    assert len(client.get(FEEDBACK, params={"limit": 1}).json()) == 1
    assert client.get(FEEDBACK, params={"limit": 0}).status_code == 422
    assert client.get(FEEDBACK, params={"format": "exe"}).status_code == 422
