"""The look-ups of a token: searched, in pages, deleted after a second look; nobody else's."""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from pacbed.service.pages.around.history import ON_A_PAGE, Search
from tests.unit.service.conftest import asked
from tests.unit.service.pages.conftest import COOKIE, browser


@pytest.fixture
def lookup(client, npy):
    """A look-up of the start token, whose name is markup."""
    sent = {"file": ("<i>film.npy", npy)}
    answer = client.post("/api/v1/lookups", files=sent, data=asked(refine="false", pixel_mrad="0.4"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_look_up_is_listed_with_its_error_bar(visitor, lookup):
    page = visitor.get("/history")
    assert f'href="/lookups/{lookup["id"]}"' in page.text
    assert "&lt;i&gt;film.npy" in page.text and "<i>film" not in page.text
    thickness = lookup["result"]["thickness_nm"]
    assert f"{thickness['value']:.2f}</strong> ± {thickness['std']:.2f} nm" in page.text


def test_the_form_searches_and_stays_filled_in(visitor, lookup):
    query = {"search": "film TINY", "bundle": "tiny", "verdict": lookup["verdict"], "since": "2020-01-01", "until": ""}
    page = visitor.get("/history", params=query)
    assert lookup["id"] in page.text and 'value="film TINY"' in page.text and 'value="2020-01-01"' in page.text
    nothing = visitor.get("/history", params={"search": "no such name"})
    assert lookup["id"] not in nothing.text and "No look-up is like that" in nothing.text
    assert visitor.get("/history", params={"since": "yesterday"}).status_code == 422


def test_deleting_is_asked_twice(visitor, lookup):
    first = visitor.post("/history/delete", data={"identity": [lookup["id"]]})
    assert first.status_code == 200 and "Delete 1 look-up?" in first.text and "cannot be undone" in first.text
    assert visitor.get(f"/api/v1/lookups/{lookup['id']}", headers={"Accept": "*/*"}).status_code == 200
    second = visitor.post("/history/delete", data={"identity": [lookup["id"]], "sure": "true"})
    assert second.status_code == 303 and second.headers["location"] == "/history"
    assert visitor.get(f"/api/v1/lookups/{lookup['id']}", headers={"Accept": "*/*"}).status_code == 404


def test_nobody_deletes_or_sees_what_is_somebody_elses(server, visitor, lookup):
    with browser(server, signed_in=False) as other:
        other.cookies.set(COOKIE, server.new_token("history-test"))
        empty = other.get("/history")
        assert "Nothing was asked with this token yet" in empty.text and lookup["id"] not in empty.text
        answer = other.post("/history/delete", data={"identity": [lookup["id"]], "sure": "true"})
        assert answer.status_code == 404
    assert lookup["id"] in visitor.get("/history").text


def test_choosing_nothing_deletes_nothing(visitor):
    assert visitor.post("/history/delete", data={}).status_code == 303
    assert visitor.post("/history/delete", data={"identity": ["../../etc"]}).status_code == 422


def test_other_sites_delete_nothing(visitor, lookup):
    data = {"identity": [lookup["id"]], "sure": "true"}
    assert visitor.post("/history/delete", data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert lookup["id"] in visitor.get("/history").text


def test_a_long_history_is_read_page_by_page(server, tmp_path):
    """Rows as a worker leaves them, of a token of their own."""
    from pacbed.service.store.database import open_database
    from pacbed.service.store.lookup import RESULT, Question
    from pacbed.service.store.lookups import Lookups

    engine = open_database(f"sqlite:///{server.home / 'service.sqlite'}")
    lookups, names = Lookups(engine, server.home), [f"film {number:02}.npy" for number in range(2 * ON_A_PAGE + 1)]
    for number, name in enumerate(names):
        made, upload = tmp_path / f"made{number}", tmp_path / f"pattern{number}.npy"
        made.mkdir()
        upload.write_bytes(b"pixels")
        (made / RESULT).write_text('{"verdict": "refused", "thickness_nm": null, "provenance": {"parameters": {}}}')
        request = {"input": name, "bundle": "tiny.pacbed", "bundle_sha256": "b" * 64}
        question = Question("librarian", name, f"{number:02}reader.npy", request)
        lookups.keep(f"{number:064x}", question, upload, made)
    engine.dispose()
    seen, address = [], "/history?search=film"
    with browser(server, signed_in=False) as reader:
        reader.cookies.set(COOKIE, server.new_token("librarian"))
        while address:
            page = reader.get(address).text
            seen.append(re.findall(r">(film \d\d\.npy)</a>", page))
            older = re.search(r'href="(/history\?[^"]+)">Older', page)
            address = html.unescape(older[1]) if older else ""
            assert ('href="/history?search=film">Newest' in page) == (len(seen) > 1)
    assert [len(one) for one in seen] == [ON_A_PAGE, ON_A_PAGE, 1]
    assert [name for one in seen for name in one] == names[::-1]


def test_days_are_whole_and_the_last_one_counts():
    wanted = Search(since="2026-01-31", until="2026-02-01", before="").wanted
    assert datetime.fromtimestamp(wanted.since, UTC).isoformat() == "2026-01-31T00:00:00+00:00"
    assert datetime.fromtimestamp(wanted.before, UTC).isoformat() == "2026-02-02T00:00:00+00:00"
    assert Search(until=date(2026, 2, 1), before=5.0).wanted.before == 5.0


def test_a_query_has_what_is_asked_for_alone():
    search = Search(search="a b&c", verdict="ok", since="2026-01-31")
    assert search.query(before=1.5) == "search=a+b%26c&verdict=ok&since=2026-01-31&before=1.5"
    assert Search().query() == ""


@pytest.mark.parametrize(
    "wrong", [{"verdict": "good"}, {"until": "9999-12-31"}, {"before": "inf"}, {"search": "x" * 201}]
)
def test_what_is_no_search(wrong):
    with pytest.raises(ValidationError):
        Search(**wrong)
