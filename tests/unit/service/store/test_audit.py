"""The audit's last lines, of a file that may be long, damaged, or not there."""

from pacbed.service.store.audit import AUDIT, Audit


def test_the_last_lines_come_first(tmp_path):
    audit = Audit(tmp_path)
    assert audit.last(3) == []
    for number in range(2000):
        audit.add({"request": number, "route": "/api/v1/lookups/{identity}"})
    assert [entry["request"] for entry in audit.last(3)] == [1999, 1998, 1997]
    assert len(audit.last(10**6)) == 2000


def test_a_damaged_line_is_left_out(tmp_path):
    audit = Audit(tmp_path)
    audit.add({"request": 1})
    with (tmp_path / AUDIT).open("ab") as file:
        file.write(b'{"request": 2, "rou\n\xff\n[1]\n\n')
    audit.add({"request": 3})
    assert [entry["request"] for entry in audit.last(9)] == [3, 1]


def test_a_disk_that_takes_nothing_keeps_nobody_from_an_answer(tmp_path, caplog):
    (tmp_path / AUDIT).mkdir()
    audit = Audit(tmp_path)
    audit.add({"request": 1})
    assert "audit" in caplog.text and audit.last(1) == []
