"""Texts between DM-Script and Python."""

import pytest
from pacbed_client.errors import ClientError
from pacbed_client.gms.tags import Tags, as_text, number, plain

from tests.unit.clients.gms.stand_in import DigitalMicrograph


def test_texts_are_put_and_found_and_what_is_missing_is_empty():
    dm = DigitalMicrograph()
    tags = Tags(dm)
    tags.put("answer:line 1", "30.7 ± 0.7 nm, 3°")
    assert dm.tags == {"PACBED:answer:line 1": "30.7 +/- 0.7 nm, 3 deg"}
    assert tags.get("answer:line 1") == "30.7 +/- 0.7 nm, 3 deg"
    assert tags.get("nothing") == ""
    tags.put("count", 3)
    assert tags.get("count") == "3"


def test_what_windows_writes_is_read():
    assert Tags(DigitalMicrograph(**{"PACBED:setup:folder": r"C:\Users\Jörg"})).get("setup:folder") == r"C:\Users\Jörg"
    assert as_text(b"\xb5m") == as_text("µm") == as_text("µm".encode()) == "µm"
    assert as_text(None) == "" and as_text(3) == "3"


@pytest.mark.parametrize(("text", "ascii"), [("×", "x"), ("ξ", "?"), ("Å–’", "A-'"), ("plain", "plain")])
def test_everything_becomes_ascii(text, ascii):
    assert plain(text) == ascii


def test_numbers_are_typed_with_a_point():
    assert number("pixel_mrad", "0.21") == 0.21 and number("pixel_mrad", "") is None
    with pytest.raises(ClientError, match=r"pixel_mrad: got '0,21', accepted: a number such as 13\.7"):
        number("pixel_mrad", "0,21")
