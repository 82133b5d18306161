"""The look-up page without a browser: the plain form, and the routes of the script."""

from __future__ import annotations

import base64

import imageio.v3 as iio
import numpy as np

from pacbed.service.pages.offer import LAST
from tests.unit.service.conftest import as_npy

PROGRAM = {"Accept": "application/json"}


def test_a_plain_form_ends_on_the_result_and_is_remembered(visitor, npy):
    page = visitor.get("/").text
    assert 'enctype="multipart/form-data"' in page and 'value="tiny" selected' in page
    assert "1 to 10 nm, 13 to 15 mrad, mistilt up to 3 mrad" in page
    fields = {"bundle": "tiny", "convergence_mrad": "14.0", "pixel_mrad": "", "energy_kev": "", "mirrored": ""}
    answer = visitor.post("/", files={"file": ("film.npy", npy)}, data=fields)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/lookups/")
    assert "HttpOnly" in answer.headers["set-cookie"] and answer.headers["set-cookie"].startswith(LAST)
    assert "film.npy" in visitor.get(answer.headers["location"]).text
    assert 'value="14.0"' in visitor.get("/").text


def test_a_bundle_by_its_hash_is_remembered_by_its_name(visitor, npy):
    (sha256,) = {one["sha256"] for one in visitor.get("/api/v1/bundles", headers=PROGRAM).json()}
    fields = {"bundle": sha256, "convergence_mrad": "14.0"}
    assert visitor.post("/", files={"file": ("film.npy", npy)}, data=fields).status_code == 303
    assert 'value="tiny" selected' in visitor.get("/").text


def test_what_is_wrong_is_told_above_the_form_as_it_was(visitor, npy):
    for files, fields, words in (
        ({"file": ("a.docx", b"x")}, {}, "accepted: a name ending in"),
        ({"file": ("a.npy", b"no array")}, {}, "a.npy"),
        ({"file": ("a.npy", npy)}, {"convergence_mrad": "100"}, "convergence_mrad: got"),
        ({"file": ("a.npy", npy)}, {"convergence_mrad": "much"}, "convergence_mrad: got &#39;much&#39;"),
        ({"file": ("", b"")}, {}, "file: got none"),
    ):
        answer = visitor.post("/", files=files, data={"bundle": "tiny", "convergence_mrad": "14", **fields})
        assert answer.status_code == 422 and words in answer.text, answer.text
        assert 'role="alert"' in answer.text and 'value="tiny" selected' in answer.text
    answer = visitor.post("/", files={"file": ("a.npy", npy)}, data={"convergence_mrad": "14"})
    assert answer.status_code == 422 and "bundle" in answer.text
    answer = visitor.post("/", files={"file": ("a.npy", npy)}, data={"bundle": "none-such"})
    assert answer.status_code == 404 and "tiny" in answer.text


def test_the_script_is_led_to_the_result_or_told_the_problem(visitor, npy):
    fields = {"bundle": "tiny", "convergence_mrad": "14.0"}
    answer = visitor.post("/", files={"file": ("film.npy", npy)}, data=fields, headers=PROGRAM)
    assert answer.status_code == 201 and answer.json()["location"].startswith("/lookups/")
    refused = visitor.post("/", files={"file": ("a.docx", b"x")}, data=fields, headers=PROGRAM)
    assert refused.status_code == 422 and refused.headers["content-type"] == "application/problem+json"


def test_a_preview_shows_the_pattern_and_what_its_file_says(server, visitor, npy):
    seen = visitor.post("/preview", files={"file": ("film.npy", npy)}, headers=PROGRAM).json()
    kind, _, content = seen["picture"].partition(",")
    assert kind == "data:image/png;base64" and iio.imread(base64.b64decode(content)).shape == (160, 150, 3)
    assert seen["fits"] == ["tiny"] and seen["convergence_mrad"] is None
    assert any(line.startswith("bright region") for line in seen["lines"])
    assert not any("upload" in line or str(server.home) in line for line in seen["lines"])
    assert server.scratch() == []


def test_a_preview_of_no_pattern_says_why(visitor):
    for content in (b"no array", as_npy(np.zeros((64, 64))), as_npy(np.ones((8, 8)))):
        answer = visitor.post("/preview", files={"file": ("film.npy", content)}, headers=PROGRAM)
        assert answer.status_code == 422 and "film.npy" in answer.json()["detail"], answer.text


def test_previews_of_a_named_token_are_counted(server, npy):
    from tests.unit.service.pages.conftest import browser

    with browser(server, signed_in=False) as other:
        other.cookies.set("pacbed_token", server.new_token("previews"))
        assert other.post("/preview", files={"file": ("film.npy", npy)}, headers=PROGRAM).status_code == 200
        assert other.get("/api/v1/limits", headers=PROGRAM).json()["left"]["per_minute"] == 5


def test_the_queue_is_told(visitor, stranger):
    assert visitor.get("/queue").json() == {"waiting": 0, "running": 0}
    assert stranger.get("/queue").status_code == 401
