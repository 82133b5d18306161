"""A look-up from the file to the crate, as people do it."""

from __future__ import annotations

import base64
import json
import zipfile

import pytest

from tests.browser.conftest import DESKTOP, PHONE, check_access, wait_until

pytestmark = pytest.mark.browser
RATIO = "Number(document.querySelector('#ratio strong').textContent)"
DROP = """([name, content]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def dropped(page, file):
    """Let a file fall onto the page."""
    fall(page, file.name, file.read_bytes())
    page.locator("#picture").wait_for()


def fall(page, name, content):
    page.evaluate(DROP, [name, base64.b64encode(content).decode()])


def ratio(page):
    return float(page.locator("#ratio").inner_text())


def crate_of(page):
    with page.expect_download() as download:
        page.get_by_role("link", name="Everything").click()
    with zipfile.ZipFile(download.value.path()) as crate:
        return json.loads(crate.read("result.json"))


@pytest.mark.parametrize("view", [DESKTOP, PHONE], ids=["desktop", "390 px"])
def test_from_drop_to_crate(open_page, film, view):
    page = open_page(view=view)
    assert "token" not in page.url
    check_access(page)
    dropped(page, film)
    assert page.locator("#bundle").input_value() == "tiny"  # the only one that fits
    page.locator("#convergence_mrad").fill("14")
    check_access(page)
    page.get_by_role("button", name="Determine thickness").click()
    page.wait_for_url("**/lookups/*")
    headline = page.locator("#answer").inner_text()
    assert "8.0" in headline and "±" in headline and "nm" in headline
    assert page.locator(".verdict").inner_text().split() == ["✓", "OK"]
    box = page.locator("#answer").bounding_box()
    assert box["y"] + box["height"] < view["height"] / 2  # seen without scrolling
    check_access(page)
    page.locator("[data-for=thickness_nm]").fill("4")
    wait_until(page, f"{RATIO} > 1.3")
    assert page.locator("#thickness_nm").input_value() == "4.0"
    assert page.locator(".tile.candidate").get_attribute("src").startswith("blob:")
    check_access(page)
    page.get_by_role("link", name="Best match", exact=True).click()
    wait_until(page, f"{RATIO} < 1.05")
    result = crate_of(page)
    assert f"{result['thickness_nm']['value']:.1f}" in headline and result["provenance"]["input"] == "film.npy"


def test_a_point_of_the_curve_is_chosen(open_page, film):
    page = open_page()
    dropped(page, film)
    page.locator("#convergence_mrad").fill("14")
    page.get_by_role("button", name="Determine thickness").click()
    page.wait_for_url("**/lookups/*")
    box = page.locator("#curve").bounding_box()
    page.locator("#curve").click(position={"x": 0.3 * box["width"], "y": 0.5 * box["height"]})
    wait_until(page, f"{RATIO} > 1.3")
    chosen = float(page.locator("#thickness_nm").input_value())
    assert 2 < chosen < 5 and ratio(page) > 1.3
    assert float(page.locator("#here").get_attribute("cx")) == pytest.approx(0.3 * 760, abs=60)


def test_without_javascript(open_page, film):
    page = open_page(java_script_enabled=False)
    page.locator("#file").set_input_files(film)
    page.locator("#bundle").select_option("tiny")
    page.locator("#convergence_mrad").fill("14")
    page.get_by_role("button", name="Determine thickness").click()
    page.wait_for_url("**/lookups/*")
    assert "8.0" in page.locator("#answer").inner_text()
    page.locator("#thickness_nm").fill("4")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**thickness_nm=4*")
    assert ratio(page) > 1.3 and page.locator(".tile.candidate").get_attribute("alt") == "Candidate: 4.0 nm"
    assert crate_of(page)["verdict"] == "ok"
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("#link").input_value()
    assert "?key=" in link
    page.context.clear_cookies()
    page.goto(link)
    assert "8.0" in page.locator("#answer").inner_text() and page.get_by_role("button", name="Sign out").count() == 0
    page.goto("/")
    assert page.locator("#convergence_mrad").count() == 0  # a link shows one look-up and no more


def test_by_keyboard_alone(open_page, film):
    page = open_page()
    press = page.keyboard.press
    press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    press("Enter")
    page.locator("#file").focus()
    page.locator("#file").set_input_files(film)  # the dialog of the system
    page.locator("#picture").wait_for()
    wait_until(page, "document.activeElement.id === 'convergence_mrad' || document.activeElement.id === 'send'")
    page.locator("#convergence_mrad").press("Control+a")
    page.keyboard.type("14")
    press("Enter")
    page.wait_for_url("**/lookups/*")
    page.locator("[data-for=thickness_nm]").focus()
    for _ in range(30):
        press("ArrowLeft")
    wait_until(page, f"{RATIO} > 1.3")
    assert float(page.locator("#thickness_nm").input_value()) < 6


def test_what_was_chosen_last_is_there_again_and_sent_at_once(open_page, film):
    page = open_page()
    dropped(page, film)
    page.locator("#convergence_mrad").fill("14")
    page.locator("#at-once").check()
    page.get_by_role("button", name="Determine thickness").click()
    page.wait_for_url("**/lookups/*")
    page.get_by_role("link", name="Next pattern").click()
    assert page.locator("#convergence_mrad").input_value() == "14"
    page.locator("#file").set_input_files(film)
    page.wait_for_url("**/lookups/*")  # no click between the file and its number


def test_the_next_pattern_is_dropped_onto_the_last_result(open_page, film, stranger):
    page = open_page()
    dropped(page, film)
    page.locator("#convergence_mrad").fill("14")
    page.get_by_role("button", name="Determine thickness").click()
    page.wait_for_url("**/lookups/*")
    first = page.url
    fall(page, "letter.npy", b"Dear colleague")
    page.get_by_text("letter.npy: ").wait_for()
    wait_until(page, "document.getElementById('next-words').textContent.includes('accepted')")
    assert page.url == first
    fall(page, stranger.name, stranger.read_bytes())
    page.wait_for_url(lambda url: url != first)
    assert page.locator(".verdict").inner_text().split() == ["✕", "REFUSED"]
