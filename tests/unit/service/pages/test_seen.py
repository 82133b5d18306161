"""A look-up whose bundle is served no more still shows its answer; what needs the bundle says why it cannot."""

from __future__ import annotations

import shutil

import pytest

from tests.unit.service.conftest import as_npy, asked, start, stop
from tests.unit.service.pages.conftest import browser


@pytest.fixture(scope="module")
def withdrawn(tiny_bundle_file, camera, tmp_path_factory):
    """A service whose bundle was taken away after two look-ups, one with a sheet and one without."""
    server = start(tmp_path_factory.mktemp("withdrawn"), tiny_bundle_file)
    with server.client() as client:
        found = [
            client.post("/api/v1/lookups", files={"file": ("a.npy", as_npy(camera() + n))}, data=asked(sheet=sheet))
            for n, sheet in enumerate(("link", "none"))
        ]
        shutil.move(server.bundles / "tiny.pacbed", server.home / "away")
        server.wait_for(lambda: client.get("/api/v1/bundles").json() == [], 30)
    yield server, [f"/lookups/{one.json()['id']}" for one in found]
    stop(server)


def test_the_answer_stays(withdrawn):
    server, pages = withdrawn
    with browser(server) as visitor:
        for page in pages:
            shown = visitor.get(page)
            assert shown.status_code == 200 and '<span class="figure">8.0</span>' in shown.text
        assert 'id="curve"' in visitor.get(pages[0]).text  # it was kept
        bare = visitor.get(pages[1]).text
        assert 'id="curve"' not in bare and "tiny.pacbed as it answered then is served no more" in bare


@pytest.mark.parametrize("name", ["candidate.png", "sheet.pdf", "match.tif"])
def test_what_would_be_computed_is_gone(withdrawn, name):
    server, pages = withdrawn
    with server.client() as client:
        answer = client.get(f"{pages[0]}/{name}")
        assert answer.status_code == 410 and "served no more" in answer.json()["detail"]


def test_what_lies_there_is_still_given(withdrawn):
    server, pages = withdrawn
    with server.client() as client:
        for name in ("sheet.png", "result.json", "crate.zip"):
            assert client.get(f"{pages[0]}/{name}").status_code == 200
        page = client.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 200 and "No bundle is ready yet" in page.text
