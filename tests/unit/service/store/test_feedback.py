"""Feedback of everybody: with what they were told, and as a table that a spreadsheet may open."""

import csv
import io

from pacbed.service.store.feedback import Said, as_csv, feedback


def test_feedback_comes_with_what_was_found(lookups, keep, engine):
    first, second = keep(), keep("bob", "b" * 64, name="edge.tif", pattern="f2.tif", verdict="doubtful")
    lookups.say(first, "right", None, "")
    lookups.say(second, "wrong", 12.5, "EELS says so")
    latest, earliest = feedback(engine)
    assert (latest.owner, latest.lookup, latest.input, latest.bundle) == ("bob", "b" * 64, "edge.tif", "tiny.pacbed")
    assert (latest.verdict, latest.thickness_nm) == ("doubtful", 8.5)
    assert (latest.answer, latest.other_thickness_nm, latest.comment) == ("wrong", 12.5, "EELS says so")
    assert latest.created.endswith("+00:00")
    assert (earliest.owner, earliest.answer, earliest.other_thickness_nm) == ("alice", "right", None)
    assert feedback(engine, limit=1) == [latest]


def test_two_owners_of_one_answer_are_told_apart(lookups, keep, engine):
    keep("alice"), keep("bob", name="other.tif", pattern="f2.tif", known=True)
    lookups.say(lookups.find("a" * 64, "bob"), "unsure", None, "")
    assert [(one.owner, one.input) for one in feedback(engine)] == [("bob", "other.tif")]


def said(comment, name="film.tif"):
    return Said("2026-01-01", "alice", "a" * 64, name, "tiny", "ok", 8.5, "wrong", None, comment)


def test_a_table_holds_what_was_said():
    text = as_csv([said('with "marks", commas\nand lines; ärger'), said("plain")])
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["comment"] for row in rows] == ['with "marks", commas\nand lines; ärger', "plain"]
    assert rows[0]["thickness_nm"] == "8.5" and rows[0]["other_thickness_nm"] == ""
    assert text.splitlines()[0].split(",") == list(Said._fields)


def test_a_spreadsheet_computes_nothing_that_was_said():
    for evil in ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"):
        rows = list(csv.DictReader(io.StringIO(as_csv([said(evil, name=evil)]), newline="")))
        assert rows[0]["comment"] == f"'{evil}" == rows[0]["input"]
