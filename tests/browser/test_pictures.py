"""Draws the pictures of `docs/images/`: `make service-pictures`, which names their folder in PACBED_PICTURES.

They show the bundle of SrTiO3 that ships and the demo's patterns, in the user's own cache of tables.
"""

from __future__ import annotations

import os
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from tests.browser.conftest import DESKTOP, PHONE, wait_until
from tests.unit.service.conftest import start, stop

FOLDER = os.environ.get("PACBED_PICTURES")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(FOLDER is None, reason="PACBED_PICTURES is not set: make service-pictures"),
]
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "srtio3_200kv"
LARGEST = 200_000  # bytes
COLOURS = 128


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A service with the bundles that ship, and their tables where the user has them."""
    own = os.environ.pop("PACBED_CACHE", None)
    try:
        running = start(tmp_path_factory.mktemp("real"), ROOT / "pretrained" / "srtio3_200kv.pacbed", shipped=True)
        (running.bundles / "tiny.pacbed").unlink()
        yield running
        stop(running)
    finally:
        if own is not None:
            os.environ["PACBED_CACHE"] = own


def take(page, name, *, whole=False, colours=COLOURS):
    """Write a picture, in few colours so that it stays small."""
    from PIL import Image

    page.wait_for_load_state("networkidle")
    path = Path(FOLDER) / f"service_{name}.png"
    page.screenshot(path=path, full_page=whole, animations="disabled")
    image = Image.fromarray(np.asarray(iio.imread(path))[..., :3])
    image.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size < LARGEST, f"{path.name}: {path.stat().st_size} bytes"


def sent(page, file, angle="13.7"):
    page.locator("#file").set_input_files(file)
    page.locator("#picture").wait_for()
    page.locator("#bundle").select_option("srtio3_200kv")
    page.locator("#convergence_mrad").fill(angle)


def see_all(page):
    """Scroll to the end and back, so that every picture is loaded."""
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    wait_until(page, "[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    page.evaluate("window.scrollTo(0, 0)")


def people_say(server, address):
    """Somebody else's token, and what was said of an answer."""
    server.new_token("alice")
    said = {"answer": "wrong", "thickness_nm": 31.5, "comment": "31.5 nm by EELS, at the edge of the lamella"}
    with server.client() as client:
        answer = client.post(f"/api/v1/lookups/{address.rpartition('/')[2]}/feedback", json=said)
        assert answer.status_code == 204, answer.text


def test_pictures(open_page, real, stranger):
    page = open_page(server=real)
    sent(page, EXAMPLES / "experiment_1.tif")
    take(page, "look_up")
    page.get_by_role("button", name="Determine thickness").click()
    page.wait_for_url("**/lookups/*")
    address = page.url
    take(page, "result")
    page.locator(".sheet").scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    take(page, "result_whole", whole=True, colours=64)
    people_say(real, address)
    for name in ("history", "bundles", "limits", "operator"):
        page.goto(f"/{name}")
        see_all(page)
        take(page, name, whole=name != "bundles")
    page.goto("/bundles")
    page.locator("article", has_text="SrTiO3").get_by_role("link", name="Errors and budget").click()
    see_all(page)
    take(page, "bundle", whole=True, colours=64)
    page.goto("/")
    sent(page, stranger)
    page.get_by_role("button", name="Determine thickness").click()
    page.wait_for_url("**/lookups/*")
    take(page, "refused")
    dark = open_page(address.removeprefix(real.url), server=real, color_scheme="dark", view=DESKTOP)
    take(dark, "dark")
    phone = open_page(address.removeprefix(real.url), server=real, view=PHONE)
    take(phone, "phone")
    phone.goto("/")
    take(phone, "phone_look_up")
    phone.context.clear_cookies()
    phone.goto("/sign-in")
    take(phone, "sign_in")
