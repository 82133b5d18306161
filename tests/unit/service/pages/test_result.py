"""The result page: the answer, the comparison, files, share link, feedback."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile

import imageio.v3 as iio
import numpy as np
import pytest

from tests.unit.service.conftest import as_npy, asked
from tests.unit.service.pages.conftest import browser


@pytest.fixture(scope="module")
def page(server, known):
    with browser(server) as one:
        answer = one.get(f"/lookups/{known['id']}")
    assert answer.status_code == 200
    return answer.text


def test_thickness_error_and_verdict_come_first(page, known):
    thickness = known["result"]["thickness_nm"]
    first = page[page.index("<main") : page.index('id="why"')]
    assert f">{thickness['value']:.1f}</span>" in first and "±" in first
    assert f"</span> {known['verdict']}</span>" in first and "known.npy" in first


def test_every_reason_stands_with_its_meaning(client, visitor, npy, page):
    assert "Nothing speaks against this result" in page
    answer = client.post("/api/v1/lookups", files={"file": ("a.npy", npy)}, data=asked(convergence_mrad="15.4"))
    reasons = answer.json()["result"]["reasons"]
    shown = html.unescape(visitor.get(f"/lookups/{answer.json()['id']}").text)
    assert any("outside the trained range" in one for one in reasons) and all(one in shown for one in reasons)
    assert shown.count('<p class="reason">') == len(reasons) and "networks were not trained for this" in shown


def test_the_pictures_are_rendered_by_a_worker(server, visitor, known):
    base = f"/lookups/{known['id']}/candidate.png"
    best, other = visitor.get(base), visitor.get(base, params={"thickness_nm": "4"})
    assert best.headers["content-type"] == "image/png" and "private" in best.headers["cache-control"]
    images = [iio.imread(one.content) for one in (best, other)]
    assert images[0].shape == images[1].shape and images[0].shape[1] == 3 * images[0].shape[0]
    side = images[0].shape[0]
    assert (images[0][:, :side] != images[1][:, :side]).mean() < 0.5 < np.abs(images[0] - images[1]).mean()
    assert float(other.headers["x-pacbed-ratio"]) > 1.5 > float(best.headers["x-pacbed-ratio"])
    assert float(other.headers["x-pacbed-thickness"]) == 4.0


def test_a_candidate_without_javascript(visitor, known):
    page = visitor.get(f"/lookups/{known['id']}", params={"thickness_nm": "4", "azimuth_deg": ""})
    assert page.status_code == 200 and 'src="/lookups/' in page.text and "thickness_nm=4.0" in page.text
    ratio = re.search(r'id="ratio".*?<strong>([\d.]+)</strong>', page.text)
    assert ratio and float(ratio[1]) > 1.5


def test_a_candidate_that_cannot_be_rendered_is_told_beside_the_answer(visitor, known):
    page = visitor.get(f"/lookups/{known['id']}", params={"thickness_nm": "5000"})
    assert page.status_code == 200 and "thickness_nm: got 5000.0, accepted: 0 to" in page.text
    picture = visitor.get(f"/lookups/{known['id']}/candidate.png", params={"mistilt_mrad": "60"})
    assert picture.status_code == 422


def test_a_look_up_without_a_sheet_gets_its_comparison_when_it_is_looked_at(client, visitor, pattern):
    array = pattern + 11
    answer = client.post("/api/v1/lookups", files={"file": ("bare.npy", as_npy(array))}, data=asked())
    page = visitor.get(f"/lookups/{answer.json()['id']}")
    assert 'id="curve"' in page.text
    sheet = visitor.get(f"/lookups/{answer.json()['id']}/sheet.png")
    assert iio.imread(sheet.content).shape[1] == 1440


def test_files_to_download(visitor, known):
    base = f"/lookups/{known['id']}"
    result = visitor.get(f"{base}/result.json")
    assert result.json() == known["result"] and 'filename="known.json"' in result.headers["content-disposition"]
    assert visitor.get(f"{base}/sheet.pdf").content.startswith(b"%PDF-")
    match = visitor.get(f"{base}/match.tif")
    assert iio.imread(match.content, extension=".tif").shape == (160, 150)
    crate = zipfile.ZipFile(io.BytesIO(visitor.get(f"{base}/crate.zip").content))
    assert json.loads(crate.read("result.json")) == known["result"]


def test_a_link_shows_and_does_no_more(server, visitor, stranger, known):
    base = f"/lookups/{known['id']}"
    page = visitor.post(f"{base}/share").text
    link = re.search(r'value="(http://[^"]+)"', page)
    assert link
    path = link[1].removeprefix(server.url)
    shown = stranger.get(path)
    assert shown.status_code == 200 and "Share" not in shown.text and "Is it right" not in shown.text
    for one in re.findall(r'(?:src|href)="(/lookups/[^"]+)"', shown.text)[:8]:
        assert stranger.get(one.replace("&amp;", "&")).status_code == 200
    key = path.partition("?")[2]
    assert stranger.post(f"{base}/feedback?{key}", data={"answer": "right"}).status_code == 403
    assert stranger.post(f"{base}/delete?{key}").status_code == 403
    assert visitor.post(f"{base}/share", data={"shared": "false"}).status_code == 303
    assert stranger.get(path).status_code == 404
    assert stranger.get(base).status_code == 401


def test_feedback_is_thanked(visitor, known):
    base = f"/lookups/{known['id']}"
    said = visitor.post(f"{base}/feedback", data={"answer": "wrong", "thickness_nm": "9.5", "comment": ""})
    assert said.status_code == 303 and "Thank you" in visitor.get(said.headers["location"]).text
    assert visitor.post(f"{base}/feedback", data={"answer": "perhaps"}).status_code == 422


def test_a_deleted_look_up_is_gone(client, visitor, pattern):
    answer = client.post("/api/v1/lookups", files={"file": ("gone.npy", as_npy(pattern + 13))}, data=asked())
    base = f"/lookups/{answer.json()['id']}"
    assert visitor.post(f"{base}/delete").headers["location"] == "/"
    assert visitor.get(base).status_code == 404


def test_somebody_elses_look_up_is_not_found(server, known):
    with browser(server, signed_in=False) as other:
        other.cookies.set("pacbed_token", server.new_token("other-pages"))
        assert other.get(f"/lookups/{known['id']}").status_code == 404
        assert other.get(f"/lookups/{known['id']}/candidate.png").status_code == 404
