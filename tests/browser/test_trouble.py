"""What people see when something is wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
from threading import Thread

import pytest

from tests.browser.conftest import PHONE, check_access
from tests.unit.service.conftest import as_npy, asked, start, stop

pytestmark = pytest.mark.browser


def ask(page, film, *, convergence_mrad):
    page.locator("#file").set_input_files(film)
    page.locator("#bundle").select_option("tiny")
    page.locator("#convergence_mrad").fill(convergence_mrad)
    page.get_by_role("button", name="Determine thickness").click()


def test_a_file_that_is_no_pattern(open_page, tmp_path):
    page = open_page()
    letter = tmp_path / "letter.npy"
    letter.write_bytes(b"Dear colleague")
    page.locator("#file").set_input_files(letter)
    page.get_by_role("alert").wait_for()
    assert "letter.npy" in page.get_by_role("alert").inner_text()
    assert page.locator("#preview").is_hidden()
    check_access(page)


def test_a_pattern_that_is_refused(open_page, stranger):
    page = open_page(view=PHONE)
    page.locator("#file").set_input_files(stranger)
    page.locator("#picture").wait_for()
    page.locator("#convergence_mrad").fill("14")
    page.get_by_role("button", name="Determine thickness").click()
    page.wait_for_url("**/lookups/*")
    assert page.locator(".verdict").inner_text().split() == ["✕", "REFUSED"]
    assert "not an answer" in page.locator(".meaning").inner_text()
    assert "To do:" in page.locator(".reasons").inner_text()
    check_access(page)


def test_without_javascript_the_form_says_what_is_wrong(open_page, film):
    page = open_page(java_script_enabled=False)
    ask(page, film, convergence_mrad="90")
    page.get_by_role("alert").wait_for()
    assert "convergence_mrad" in page.get_by_role("alert").inner_text()
    assert page.locator("#convergence_mrad").input_value() == "90"


def test_a_token_that_was_revoked(open_page, service):
    secret = service.new_token("late")
    page = open_page(token=secret)
    assert page.get_by_text("late", exact=True).is_visible()
    command = [sys.executable, "-m", "pacbed.cli", "service", "token", "revoke", "late", "--home", str(service.home)]
    subprocess.run(command, check=True, capture_output=True)
    page.reload()
    assert "does not hold" in page.get_by_role("alert").inner_text()
    check_access(page)
    page.get_by_label("Token").fill(service.token)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#file").wait_for()
    page.get_by_role("button", name="Sign out").click()
    assert page.url.endswith("/sign-in")
    page.goto("/")
    assert page.locator("#file").count() == 0


def test_a_page_that_is_not_there(open_page):
    page = open_page()
    page.goto("/nothing")
    assert page.locator("h1").inner_text() == "Not found"
    check_access(page)


def test_a_queue_that_is_full(open_page, tiny_bundle_file, tmp_path, camera, film):
    """One place to wait, one worker, and that one has stopped."""
    server = start(tmp_path, tiny_bundle_file, limits={"queue": 1})
    try:
        (worker,) = server.workers()
        worker.send_signal(signal.SIGSTOP)
        others = []

        def wait(number):
            with server.client() as client:
                files = {"file": ("a.npy", as_npy(camera() + number))}
                others.append(client.post("/api/v1/lookups", files=files, data=asked()).status_code)

        threads = [Thread(target=wait, args=(number,)) for number in (1, 2)]
        for thread in threads:
            thread.start()
        with server.client() as client:
            server.wait_for(lambda: client.get("/queue").json() == {"waiting": 1, "running": 1}, 30)
        page = open_page(server=server)
        ask(page, film, convergence_mrad="14")
        page.get_by_text("Send it again in").wait_for()
        assert "busy" in page.get_by_role("alert").inner_text()
        check_access(page)
        worker.send_signal(signal.SIGCONT)
        for thread in threads:
            thread.join(60)
        assert others == [200, 200]
        page.get_by_role("button", name="Determine thickness").click()
        page.wait_for_url("**/lookups/*")
    finally:
        stop(server)
