"""Lines of the dialog, and images of the sheet."""

import numpy as np
import pytest
from pacbed_client.gms.show import COLOURS, LETTERS, LINES, answer_lines, put_sheet
from pacbed_client.gms.tags import Tags
from pacbed_client.result import read_answer

from tests.unit.clients.gms.stand_in import DigitalMicrograph
from tests.unit.clients.test_result import ANSWER, changed

SHEET = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)


def test_thickness_error_and_verdict_come_first():
    lines = answer_lines(read_answer(ANSWER, ("binned 4 x 4",)))
    assert lines[0] == "30.7 +/- 0.7 nm, doubtful"
    assert lines[1:5] == [
        "mistilt 4.01 +/- 0.06 mrad", "because the pattern is dark", "because it is round", "binned 4 x 4",
    ]  # fmt: skip
    assert len(lines) == LINES and lines[5] == ""


def test_a_refusal_says_no_thickness():
    found = read_answer(changed(verdict="refused", thickness_nm=None, mistilt_mrad=None, reasons=["noise"]))
    assert answer_lines(found)[:2] == ["no thickness, refused", "because noise"]


def test_long_reasons_are_wrapped_and_the_rest_is_elsewhere():
    lines = answer_lines(read_answer(changed(reasons=["ξ " + "a long reason " * 9] * 4)))
    assert len(lines) == LINES and all(len(line) <= LETTERS and line.isascii() for line in lines)
    assert lines[-1] == "... more in the results window"


@pytest.mark.parametrize("sheet", [SHEET, np.asfortranarray(SHEET), SHEET[:, ::-1]])
def test_the_channels_can_be_joined_again(monkeypatch, sheet):
    monkeypatch.setattr("pacbed_client.result.LookupResult.sheet", lambda _: sheet)
    dm = DigitalMicrograph()
    put_sheet(dm, Tags(dm), read_answer(ANSWER))
    images = [dm.FindImageByID(int(dm.tags[f"PACBED:answer:{colour}"])) for colour in COLOURS]
    np.testing.assert_array_equal(np.stack([one.GetNumArray() for one in images], axis=-1), sheet)
    assert [one.GetName() for one in images] == ["PACBED red", "PACBED green", "PACBED blue"]
    assert images[0].tags == {
        "PACBED:Thickness (nm)": pytest.approx(30.74), "PACBED:Standard deviation (nm)": pytest.approx(0.66),
        "PACBED:Verdict": "doubtful", "PACBED:Reasons": "the pattern is dark; it is round",
        "PACBED:Bundle": "tiny.pacbed", "PACBED:Look-up": "ab",
    }  # fmt: skip


def test_a_refused_sheet_carries_no_number(monkeypatch):
    monkeypatch.setattr("pacbed_client.result.LookupResult.sheet", lambda _: SHEET)
    dm = DigitalMicrograph()
    put_sheet(dm, Tags(dm), read_answer(changed(verdict="refused", thickness_nm=None)))
    assert "PACBED:Thickness (nm)" not in dm.shown[0].tags and dm.shown[0].tags["PACBED:Verdict"] == "refused"
