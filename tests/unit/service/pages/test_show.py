"""Headers of pages, and the filters of their templates."""

from __future__ import annotations

import pytest

from pacbed.service.pages.show import size


def test_pages_load_nothing_from_elsewhere(stranger):
    answer = stranger.get("/sign-in")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "script-src 'self';" in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff"
    assert "http://" not in answer.text and "https://" not in answer.text
    assert "style=" not in answer.text and "onclick" not in answer.text


@pytest.mark.parametrize("name", ["style.css", "icon.svg"])
def test_files_of_pages_are_asked_for_again_and_not_sent_again(stranger, name):
    answer = stranger.get(f"/static/{name}")
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-cache"
    assert stranger.get(f"/static/{name}", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")


def test_filters():
    assert [size(n) for n in (12, 45_600, 7.89e6, 2e9)] == ["12 B", "45.6 kB", "7.89 MB", "2 GB"]
