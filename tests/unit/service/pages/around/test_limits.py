"""How much may be asked for: of a named token what is left, of the operator no limit."""

from __future__ import annotations

from pacbed.service.pages.around.limits import _bounds, _left
from pacbed.service.settings import Limits, Settings
from tests.unit.service.pages.conftest import COOKIE, browser


def test_a_named_token_sees_what_is_left(server):
    with browser(server, signed_in=False) as named:
        named.cookies.set(COOKIE, server.new_token("limits-test"))
        page = named.get("/limits")
    assert page.status_code == 200 and "Left to limits-test" in page.text
    assert "5 of 5" in page.text and "2 of 2" in page.text and page.text.count("<meter") == 3


def test_the_operator_has_none(visitor):
    page = visitor.get("/limits")
    assert "There is no limit to how often this token asks" in page.text and "<meter" not in page.text
    assert "64 MiB" in page.text


def test_every_limit_has_its_unit_and_what_to_do(tmp_path):
    settings = Settings(home=tmp_path, limits=Limits(body_mib=8, seconds=12, memory_gb=1.5, queue=7))
    values = {one.name: one.value for one in _bounds(settings)}
    assert (values["File"], values["Time of a look-up"], values["Memory of a look-up"]) == ("8 MiB", "12 s", "1.5 GB")
    assert values["Look-ups that wait"] == "7" and all(one.advice for one in _bounds(settings))


def test_no_limit_is_left_out():
    most = Limits(
        body_mib=11, stall_s=12, seconds=13, memory_gb=14, queue=15, per_minute=16, views=17, at_once=18, kept_gb=19
    )
    left = {"per_minute": 1.0, "at_once": 1.0, "kept_bytes": 1.0}
    told = [one.value for one in _bounds(Settings(limits=most))] + [one.words for one in _left(left, most)]
    numbers = {word for text in told for word in text.split()}
    assert {f"{value:g}" for value in most.model_dump().values()} <= numbers


def test_what_is_left_is_told_in_words():
    left = _left({"per_minute": 3.0, "at_once": 0.0, "kept_bytes": 1.5e8}, Limits())
    assert [one.words for one in left] == ["3 of 30", "0 of 2", "150 MB of 2 GB"]
    assert [one.left / one.most for one in left] == [0.1, 0.0, 0.075]
