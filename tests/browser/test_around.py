"""Pages around a look-up, as people use them: bundles, history, limits, the operator's."""

from __future__ import annotations

import csv

import pytest

from tests.browser.conftest import DESKTOP, PHONE, check_access, wait_until
from tests.unit.service.conftest import asked

pytestmark = pytest.mark.browser
VIEWS = pytest.mark.parametrize("view", [DESKTOP, PHONE], ids=["desktop", "390 px"])
SEEN = "[...document.images].every((one) => one.complete && one.naturalWidth > 0)"


@pytest.fixture
def look_up(service, film):
    """Function that asks for a look-up by the API; they differ by the pixel size that is stated."""

    def ask(name, pixel_mrad, token=""):
        with service.client(token) as client:
            sent = {"file": (name, film.read_bytes())}
            answer = client.post("/api/v1/lookups", files=sent, data=asked(pixel_mrad=str(pixel_mrad)))
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


@VIEWS
def test_what_can_be_measured(open_page, view):
    page = open_page("/bundles", view=view)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    wait_until(page, SEEN)
    check_access(page)
    page.get_by_role("link", name="Errors and budget").click()
    page.wait_for_url("**/bundles/*")
    wait_until(page, SEEN)
    assert page.locator(".strip img").count() == 8 and page.locator(".chart").last.is_visible()
    check_access(page)
    page.get_by_role("link", name="Measure with it").click()
    page.locator("#file").wait_for()
    assert page.locator("#bundle").input_value() == "tiny"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@VIEWS
def test_an_answer_is_found_again_and_deleted(open_page, look_up, view, scripts):
    first, second = look_up("edge of the film.npy", 0.4), look_up("centre of the film.npy", 0.401)
    page = open_page("/history", view=view, java_script_enabled=scripts)
    assert page.locator("tbody tr").count() >= 2
    page.get_by_label("Name of file or bundle, or id").fill("EDGE tiny")
    page.keyboard.press("Enter")
    page.wait_for_url("**search=EDGE*")
    row = page.locator("tbody tr")
    assert row.count() == 1 and f"{first['thickness_nm']:.2f}" in row.inner_text() and "±" in row.inner_text()
    if scripts:
        check_access(page)
    row.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Delete chosen").press("Enter")
    page.get_by_role("heading", name="Delete 1 look-up?").wait_for()
    if scripts:
        check_access(page)
    page.get_by_role("button", name="Delete for ever").press("Enter")
    page.wait_for_url("**/history")
    assert page.locator(f"a[href='/lookups/{first['id']}']").count() == 0
    page.locator(f"a[href='/lookups/{second['id']}']").click()
    page.locator("#answer").wait_for()


@VIEWS
def test_a_new_token_sees_an_empty_history_and_its_limits(open_page, service, view, request):
    token = service.new_token(f"new-{view['width']}")
    page = open_page("/history", view=view, token=token)
    assert page.get_by_text("Nothing was asked with this token yet").is_visible()
    check_access(page)
    page.get_by_role("link", name="Limits").click()
    page.get_by_role("heading", name=f"Left to new-{view['width']}").wait_for()
    assert page.locator("meter").count() == 3 and page.get_by_role("link", name="Operator").count() == 0
    check_access(page)


@VIEWS
def test_tokens_are_made_and_revoked_without_scripts(open_page, service, view):
    name = f"visitor-{view['width']}"
    page = open_page("/operator", view=view, java_script_enabled=False)
    page.get_by_label("Name of a new token").fill(name)
    page.get_by_role("button", name="Add a token").click()
    secret = page.locator(".secret").inner_text()
    other = open_page("/limits", view=view, token=secret)
    assert other.get_by_text(f"Left to {name}").is_visible()
    page.goto("/operator")
    assert page.locator(".secret").count() == 0
    row = page.locator("tr", has=page.get_by_role("rowheader", name=name, exact=True))
    row.locator("summary").click()
    row.get_by_role("button", name=f"Revoke {name}").click()
    assert "revoked" in row.inner_text() and row.locator("summary").count() == 0
    other.reload()
    assert "does not hold" in other.get_by_role("alert").inner_text()


@VIEWS
def test_the_operator_reads_feedback_and_watches_the_queue(open_page, service, look_up, view):
    lookup = look_up("wrong by half.npy", 0.402)
    with service.client() as client:
        said = {"answer": "wrong", "thickness_nm": 12.5, "comment": "EELS, twice"}
        assert client.post(f"/api/v1/lookups/{lookup['id']}/feedback", json=said).status_code == 204
    page = open_page("/operator", view=view)
    page.get_by_text("Refreshed every two seconds.").wait_for()
    assert page.locator("[data-live=workers] tr").count() == 1
    check_access(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="All as CSV").click()
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["lookup"] == lookup["id"]]
    assert rows[0]["comment"] == "EELS, twice" and rows[0]["other_thickness_nm"] == "12.5"
    page.route("**/api/v1/state", lambda route: route.abort())
    page.get_by_text("Not fresh: the service does not answer").wait_for()
