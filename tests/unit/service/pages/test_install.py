"""What is put beside the API."""

from __future__ import annotations

from pacbed.service.pages.install import STATIC


def test_the_folder_of_files_is_no_way_out(stranger):
    for path in ("/static/", "/static/..%2Fshow.py", "/static/%2e%2e/show.py", "/static/nothing.css"):
        assert stranger.get(path).status_code == 404


def test_pages_are_no_part_of_the_description(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert "/sign-in" not in paths and "/" not in paths and "/api/v1/lookups" in paths


def test_scripts_are_short_and_load_nothing_from_elsewhere():
    scripts = sorted(STATIC.glob("*.js"))
    assert [one.name for one in scripts][:2] == ["ask.js", "compare.js"]
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 250 and "http" not in text and "innerHTML" not in text, script.name
