"""Browsers without a window: clients that ask for HTML and keep cookies."""

from __future__ import annotations

import httpx
import pytest

COOKIE = "pacbed_token"


def browser(server, *, signed_in=True):
    """A client that asks as a browser does."""
    headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}
    cookies = {COOKIE: server.token} if signed_in else {}
    return httpx.Client(base_url=server.url, headers=headers, cookies=cookies, timeout=120)


@pytest.fixture
def visitor(server):
    """A browser of somebody who has signed in with the token of the start."""
    with browser(server) as one:
        yield one


@pytest.fixture
def stranger(server):
    """A browser of somebody without a token."""
    with browser(server, signed_in=False) as one:
        yield one
