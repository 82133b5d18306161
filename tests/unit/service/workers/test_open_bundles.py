"""A worker holds a few bundles open, and what it lets go is gone from its memory."""

from __future__ import annotations

import os
import shutil
import weakref

import pytest

from pacbed.service.workers import open_bundles
from pacbed.service.workers.open_bundles import OPEN_BUNDLES, opened
from pacbed.service.workers.tasks import warm_up


@pytest.fixture(autouse=True)
def nothing_open(monkeypatch):
    monkeypatch.setattr(open_bundles, "_open", type(open_bundles._open)())


@pytest.fixture
def files(tiny_bundle_file, tmp_path):
    """More bundles than stay open, in the order of their numbers."""
    return [shutil.copy(tiny_bundle_file, tmp_path / f"{number}.pacbed") for number in range(OPEN_BUNDLES + 1)]


def test_a_bundle_stays_open_until_its_file_changes(files):
    first = opened(files[0])
    assert opened(files[0]) is first
    os.utime(files[0], (5, 5))
    assert opened(files[0]) is not first


def test_the_one_asked_for_longest_ago_goes(files, monkeypatch):
    monkeypatch.setattr(open_bundles, "FULL_GB", 1e6)
    kept = [opened(file) for file in files[:-1]]
    opened(files[0])
    opened(files[-1])
    assert opened(files[0]) is kept[0] and opened(files[2]) is kept[2]
    assert opened(files[1]) is not kept[1]


def test_where_memory_is_full_one_bundle_stays_and_the_others_are_freed(files, monkeypatch):
    monkeypatch.setattr(open_bundles, "FULL_GB", 0.0)
    freed = []
    for file in files:
        warm_up(file)  # answers a pattern: a bundle then holds renderer, libraries and networks
        freed.append(weakref.ref(opened(file)))
    assert [one() is None for one in freed] == [True] * OPEN_BUNDLES + [False]
