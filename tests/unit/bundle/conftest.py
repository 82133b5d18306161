"""A compact table of the tiny one, and its bundle as a folder."""

from __future__ import annotations

import zipfile

import pytest

from pacbed.bundle.between_nodes import AngleLimits
from pacbed.bundle.thinning import compact_table


@pytest.fixture(scope="package")
def compact(tiny_table):
    """The tiny table, cut, thinned out and packed."""
    return compact_table(tiny_table, AngleLimits(19.0, 34.0), thickness_max_nm=10.5)


@pytest.fixture
def folder(tiny_bundle_file, tmp_path):
    """The content of the bundle as a folder that a test may spoil."""
    with zipfile.ZipFile(tiny_bundle_file) as archive:
        archive.extractall(tmp_path / "folder")
    return tmp_path / "folder"
