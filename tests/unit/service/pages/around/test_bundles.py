"""What can be measured: every bundle with its ranges, patterns, errors and budget, or why it is refused."""

from __future__ import annotations

import os
import re

import pytest

from pacbed.bundle.archive import Archive
from pacbed.bundle.pretrained.names import shipped_bundles
from pacbed.service.catalogue.evidence import worth
from pacbed.service.catalogue.served import Served
from pacbed.service.pages.around.bundles import WORDS, _budget_chart, _errors_chart, _told


@pytest.fixture(scope="module")
def shipped():
    path = shipped_bundles()["srtio3_200kv"]
    archive = Archive(path)
    return _told(Served("srtio3_200kv", path, (1, 1), "ready", "", archive.sha256, archive.meta))


def test_the_list_leads_to_the_bundle_and_its_patterns(visitor, tiny_bundle):
    page = visitor.get("/bundles")
    assert page.status_code == 200 and f'href="/bundles/{tiny_bundle.sha256}"' in page.text
    pictures = re.findall(r'src="(/api/v1/bundles/[^"]+/strip/\d\.png)"', page.text)
    assert len(pictures) == 8 and visitor.get(pictures[3]).headers["content-type"] == "image/png"
    low, high = tiny_bundle.meta.trained.thickness_nm
    assert f"{low:g} to {high:g} nm" in page.text


def test_a_refused_bundle_is_told_as_text(server, visitor):
    path = server.bundles / "<b>evil.pacbed"
    path.write_text("nothing")
    os.utime(path, (1e9, 1e9))
    try:
        server.wait_for(lambda: "is missing or damaged" in visitor.get("/bundles").text, 10)
        page = visitor.get("/bundles").text
        assert "&lt;b&gt;evil" in page and "<b>evil" not in page and "refused" in page
    finally:
        path.unlink()
    server.wait_for(lambda: "evil" not in visitor.get("/bundles").text, 10)


def test_a_bundle_shows_ranges_errors_and_budget(visitor, tiny_bundle):
    page = visitor.get(f"/bundles/{tiny_bundle.sha256}")
    assert page.status_code == 200 and 'aria-current="page">Bundles' in page.text
    for words in ("Patterns", "Ranges", "Error against noise", "Thickness budget", 'class="chart"'):
        assert words in page.text
    assert f"/api/v1/bundles/{tiny_bundle.sha256}/file" in page.text and "style=" not in page.text


def test_what_is_no_bundle_is_a_page(visitor, stranger):
    assert visitor.get(f"/bundles/{'0' * 64}").status_code == 404
    assert stranger.get("/bundles").status_code == 401


def test_a_shipped_bundle_has_its_errors_drawn(shipped):
    chart = _errors_chart(shipped.errors)
    assert chart.curves[0].name.startswith("fit") and len(chart.curves) == 3
    assert [point[0] for point in chart.curves[0].points] == [0, 5, 10]
    assert shipped.noisiest.noise == 0.1 and shipped.noisiest.fit_nm == chart.curves[0].points[-1][1]


def test_a_budget_is_drawn_with_its_largest_parts(shipped):
    effects = worth(shipped.meta)
    chart = _budget_chart(shipped.meta, effects)
    budget = shipped.meta.model_error
    assert chart.curves[0].points[-1] == (budget.thickness_nm[-1], budget.std_nm[-1])
    assert [curve.name for curve in chart.curves[1:]] == [WORDS[one.name] for one in effects[:3]]
    assert {one.name for one in effects} <= WORDS.keys()


def test_nothing_is_told_of_a_bundle_that_is_refused(shipped):
    refused = _told(Served("x", shipped.served.path, (1, 1), "refused", "why", "a" * 64, shipped.meta))
    assert refused.meta is None and refused.errors == ()
