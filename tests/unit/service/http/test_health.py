"""Counters: for programs of this machine, and for the operator elsewhere."""

from __future__ import annotations

import pytest

METRICS = "/metrics"


def test_programs_of_this_machine_need_no_token(server):
    with server.client(None) as one:
        answer = one.get(METRICS)
    assert answer.status_code == 200 and "pacbed_requests_total" in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_through_a_proxy_the_operator_alone_sees_them(server, header):
    handed_on = {header: "10.1.2.3"}
    with server.client(None) as one:
        assert one.get(METRICS, headers=handed_on).status_code == 401
    with server.client(server.new_token(f"metrics-{header.lower()}")) as one:
        assert one.get(METRICS, headers=handed_on).status_code == 403
    with server.client() as one:
        assert one.get(METRICS, headers=handed_on).status_code == 200
