"""A slim bundle, a cache of its own for each test, and the slim bundle's whole one."""

from __future__ import annotations

import pytest

from pacbed.bundle.archive import Archive
from pacbed.bundle.pretrained.slim import slim_bundle
from pacbed.bundle.rebuild import build_table


@pytest.fixture(scope="package")
def slim_file(tiny_bundle_file, tmp_path_factory):
    """The tiny bundle without its table."""
    out = tmp_path_factory.mktemp("slim") / "thin.pacbed"
    slim_bundle(tiny_bundle_file, out)
    return out


@pytest.fixture(scope="package")
def whole_file(slim_file, tmp_path_factory):
    """The slim bundle with its table made again."""
    out = tmp_path_factory.mktemp("whole") / "whole.pacbed"
    build_table(slim_file, out, jobs=2)
    return out


@pytest.fixture
def slim(slim_file):
    return Archive(slim_file)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("PACBED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
