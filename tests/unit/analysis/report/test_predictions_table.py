import csv

import pytest

from pacbed.analysis.report.predictions_table import COLUMNS, earlier_rows, write_table
from pacbed.errors import ParameterError


def row(pattern, result="", verdict="ok", **more):
    return {**dict.fromkeys(COLUMNS, ""), "pattern": pattern, "result": result, "verdict": verdict, **more}


def read(file):
    with file.open(encoding="utf-8", newline="") as content:
        return list(csv.DictReader(content))


def test_rows_of_other_patterns_are_kept(tmp_path):
    file = tmp_path / "deep" / "predictions.csv"
    assert earlier_rows(file) == []
    write_table([row("a.tif", "a.json"), row("b.tif", verdict="bad input")], [], file)
    write_table([row("b.tif", "b.json"), row("c.tif", "c.json")], earlier_rows(file), file)
    assert [(one["pattern"], one["result"]) for one in read(file)] == [
        ("a.tif", "a.json"), ("b.tif", "b.json"), ("c.tif", "c.json")
    ]  # fmt: skip
    write_table([row("/elsewhere/a.tif", "a.json")], earlier_rows(file), file)
    assert [one["pattern"] for one in read(file)] == ["b.tif", "c.tif", "/elsewhere/a.tif"]


def test_columns_that_somebody_added_are_kept_and_missing_ones_filled(tmp_path):
    file = tmp_path / "predictions.csv"
    file.write_text("pattern,verdict,remark\nold.tif,ok,my best\n", encoding="utf-8")
    write_table([row("a.tif", "a.json")], earlier_rows(file), file)
    old, new = read(file)
    assert (old["pattern"], old["remark"], old["result"]) == ("old.tif", "my best", "")
    assert (new["result"], new["remark"]) == ("a.json", "")
    assert list(new) == [*COLUMNS, "remark"]


@pytest.mark.parametrize("content", [b"x,y\n1,2\n", b"", b"\xff\xfe\x00", b"pattern,verdict\na,ok,more\n"])
def test_what_is_no_table_of_ours_is_refused(tmp_path, content):
    file = tmp_path / "predictions.csv"
    file.write_bytes(content)
    with pytest.raises(ParameterError, match=r"predictions\.csv is a table of predictions"):
        earlier_rows(file)


def test_an_editors_byte_order_mark_does_no_harm(tmp_path):
    file = tmp_path / "predictions.csv"
    file.write_text("pattern,verdict\na.tif,ok\n", encoding="utf-8-sig")
    assert earlier_rows(file) == [{"pattern": "a.tif", "verdict": "ok"}]
