"""The store as a whole: by owner, and what was said of answers."""

import pytest

from pacbed.service.store.overview import Overview
from pacbed.service.store.wanted import Wanted


@pytest.fixture
def overview(engine):
    return Overview(engine)


def test_what_everybody_keeps(overview, lookups, keep):
    assert overview.usage() == {}
    keep(), keep(identity="b" * 64, pattern="f2.tif")
    keep("bob", pattern="f3.tif", known=True)
    usage = overview.usage()
    assert (usage["alice"].lookups, usage["bob"].lookups, len(usage)) == (2, 1, 2)
    assert usage["alice"].size == lookups.kept_bytes("alice")
    assert usage["alice"].latest == lookups.of_owner("alice", Wanted(), limit=1)[0].created


def test_which_bundles_somebody_has_asked(overview, keep):
    keep(), keep(identity="b" * 64, bundle="si110.pacbed")
    keep("bob", identity="c" * 64, bundle="au.pacbed")
    assert overview.bundles_of("alice") == ["si110", "tiny"] and overview.bundles_of("carol") == []


def test_what_was_said_comes_latest_first(overview, lookups, keep):
    kept = keep()
    for answer in ("right", "wrong"):
        lookups.say(kept, answer, None, "")
    assert [one.answer for one in overview.said()] == ["wrong", "right"] and len(overview.said(limit=1)) == 1
