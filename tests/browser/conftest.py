"""A real browser before a real service. Chromium is the system's own: `chromium` on the path, or PACBED_CHROMIUM."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.unit.conftest import (  # noqa: F401 - fixtures
    camera,
    parts,
    tiny_bundle,
    tiny_bundle_file,
    trained_grid,
)
from tests.unit.service.conftest import as_npy, start, stop

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PAGE_MS = 60_000  # a busy machine


def pytest_collection_modifyitems(items):
    """Skip all of it where there is no browser, and say so."""
    if chromium() is None:
        reason = "no Chromium: install the system's package (apt install chromium), or name it in PACBED_CHROMIUM"
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=reason))


def chromium():
    """Path of the browser, or None."""
    named = os.environ.get("PACBED_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def engine():
    """A browser without a window; the loop of its driver, while it runs, keeps other tests from theirs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def service(tiny_bundle_file, tmp_path_factory):  # noqa: F811 - the fixture
    """A service with the tiny bundle."""
    running = start(tmp_path_factory.mktemp("browser"), tiny_bundle_file)
    yield running
    stop(running)


@pytest.fixture
def open_page(engine, service):
    """Function that opens a browser window, signed in by the address with the token; faults of its scripts fail."""
    contexts, faults = [], []

    def opened(path="/", *, view=DESKTOP, server=service, token=None, **options):
        context = engine.new_context(viewport=view, base_url=server.url, accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PAGE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
        page.on(
            "request",
            lambda sent: None if sent.url.startswith((server.url, "data:", "blob:")) else faults.append(sent.url),
        )
        separator = "&" if "?" in path else "?"
        page.goto(f"{path}{separator}token={token or server.token}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def film(camera, tmp_path_factory):  # noqa: F811 - the fixture
    """A file that the tiny bundle explains."""
    path = tmp_path_factory.mktemp("films") / "film.npy"
    path.write_bytes(as_npy(camera()))
    return path


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """A file of another kind of pattern: rings, which no crystal gives."""
    import numpy as np

    row, column = np.indices((160, 160)) - 80
    distance = np.hypot(row, column)
    image = 1000 + 4000 * np.exp(-0.5 * (distance / 30) ** 2) * (
        1 + np.cos(distance * 1.1) * np.cos(5 * np.arctan2(row, column))
    )
    path = tmp_path_factory.mktemp("strangers") / "rings.npy"
    path.write_bytes(as_npy(image.astype(np.float32)))
    return path


def check_access(page):
    """Nothing keeps people out: what axe-core finds is none, and nothing is cut off at the side."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    wide, window = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= window, f"{page.url}: {wide} pixels in a window of {window}"


def wait_until(page, expression):
    """Wait until something holds in the page; Playwright's own way needs what the page forbids its scripts."""
    for _ in range(PAGE_MS // 100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{page.url}: never {expression}")
