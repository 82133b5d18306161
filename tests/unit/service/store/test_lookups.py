"""Look-ups on the disk: complete or absent, each owner's own, gone with the last of them."""

import time
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from pacbed.service.store.lookup import RESULT
from pacbed.service.store.schema import FeedbackRow
from pacbed.service.store.wanted import Wanted


def test_a_look_up_is_found_by_identity_and_by_question(lookups, keep):
    kept = keep()
    assert lookups.find("a" * 64, "alice") == kept == lookups.asked_before("alice", "film.tif f1.tif")
    assert (kept.verdict, kept.thickness_nm, kept.input_name) == ("ok", 8.5, "film.tif")
    assert kept.result()["provenance"]["input"] == "film.tif"
    assert kept.result()["provenance"]["parameters"]["path"] == "film.tif"
    assert kept.asked["bundle_sha256"] == "b" * 64 and kept.pattern.read_bytes() == b"pixels"
    assert lookups.find("a" * 64, "bob") is None and lookups.asked_before("bob", "film.tif f1.tif") is None


def test_two_owners_have_their_own_names_and_files_go_with_the_last(lookups, keep):
    first, second = keep("alice"), keep("bob", name="other.tif", pattern="f2.tif", known=True)
    assert first.folder == second.folder and first.pattern != second.pattern
    assert second.result()["provenance"]["input"] == "other.tif"
    lookups.delete(first)
    assert not first.pattern.exists() and second.pattern.exists() and second.folder.is_dir()
    lookups.delete(second)
    assert not second.folder.exists() and not second.pattern.exists()
    assert lookups.kept_bytes("alice") == lookups.kept_bytes("bob") == 0


def test_a_later_sheet_takes_the_place_and_a_link_stays(lookups, keep):
    kept = keep()
    lookups.share(kept, "c" * 64)
    again = keep(sheet=True)
    assert (again.folder / "sheet.png").is_file() and again.size > kept.size
    assert lookups.shared("a" * 64, "c" * 64) == again
    assert lookups.shared("a" * 64, "d" * 64) is None
    lookups.share(kept, None)
    assert lookups.shared("a" * 64, "c" * 64) is None


def test_lists_are_sorted_and_counted(lookups, keep):
    for number in range(4):
        keep(identity=f"{number}" * 64)
    listed = lookups.of_owner("alice", limit=3)
    assert [one.identity[0] for one in listed] == ["3", "2", "1"]
    assert [one.identity[0] for one in lookups.of_owner("alice", Wanted(before=listed[-1].created), limit=9)] == ["0"]
    assert lookups.kept_bytes("alice") == sum(one.size for one in lookups.of_owner("alice", limit=9)) > 0


def test_old_ones_go_unless_they_are_shared(lookups, keep, monkeypatch):
    old, shared = keep(), keep(identity="s" * 64)
    lookups.share(shared, "c" * 64)
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 20 * 86400)
    young = keep(identity="y" * 64)
    assert lookups.delete_older(10) == 1
    assert [lookups.find(one.identity, "alice") is not None for one in (old, shared, young)] == [False, True, True]


def test_feedback_goes_with_its_look_up(lookups, keep, engine):
    kept = keep()
    lookups.say(kept, "wrong", 12.5, "EELS")
    with engine.connect() as connection:
        assert connection.execute(sa.select(FeedbackRow.answer, FeedbackRow.thickness_nm)).all() == [("wrong", 12.5)]
    lookups.delete(kept)
    with engine.connect() as connection:
        assert connection.execute(sa.select(FeedbackRow.answer)).all() == []


def test_a_row_whose_files_are_gone_is_no_answer(lookups, keep):
    kept = keep()
    (kept.folder / RESULT).unlink()
    assert lookups.find(kept.identity, "alice") is None


def test_two_who_ask_the_same_at_the_same_time_and_a_third_who_forgets_it(lookups, keep):
    """Whatever order they come in, a row that is there has its files, and nobody meets an error."""
    with ThreadPoolExecutor(6) as servers:
        for _ in range(3):
            kept = list(servers.map(lambda n: keep(f"user{n}", sheet=n % 2 == 0), range(4)))
            assert all((one.folder / RESULT).is_file() and one.pattern.is_file() for one in kept)
            again = servers.submit(keep, "user9")
            list(servers.map(lookups.delete, kept))
            last = again.result()
            assert lookups.find("a" * 64, "user9") == last and last.pattern.is_file()
            lookups.delete(last)
            assert not last.folder.exists() and not last.pattern.exists()


def test_one_that_was_asked_again_since_is_not_old(lookups, keep, monkeypatch):
    """Another server has listed it for deletion already."""
    kept = keep()
    listed, now = lookups._lookup, time.time()
    monkeypatch.setattr("time.time", lambda: now + 20 * 86400)
    monkeypatch.setattr(lookups, "_lookup", lambda row: (keep_again(), listed(row))[1])

    def keep_again():
        monkeypatch.setattr(lookups, "_lookup", listed)
        keep()

    assert lookups.delete_older(10) == 0
    assert lookups.find(kept.identity, "alice") is not None


def test_a_comment_is_kept_as_any_database_can(lookups, keep, engine):
    lookups.say(keep(), "unsure", None, "a\0b \u2009nm")
    with engine.connect() as connection:
        assert connection.execute(sa.select(FeedbackRow.comment)).scalar() == "ab \u2009nm"
