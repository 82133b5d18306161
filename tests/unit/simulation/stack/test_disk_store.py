"""Files written straight to the disk are those of the usual store."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
import zarr

from pacbed.simulation.stack import disk_store as module
from pacbed.simulation.stack.disk_store import LEAST, DiskStore

VALUES = np.random.default_rng(0).integers(0, 2**16, (3, LEAST // 2 + 77), dtype=np.uint16)  # does not compress


def write(folder, store=DiskStore):
    group = zarr.open_group(store(folder), mode="w", zarr_format=3)
    group.create_array("large", data=VALUES, chunks=(1, VALUES.shape[1]))
    group.create_array("small", data=VALUES[:, :5])


def content(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def refuse(monkeypatch, number):
    """Let direct writing fail with an error of the system; returns what was tried."""
    tried, usual = [], os.open

    def open_file(path, flags, *mode, **options):
        if flags & module.DIRECT:
            tried.append(path)
            raise OSError(number, os.strerror(number))
        return usual(path, flags, *mode, **options)

    monkeypatch.setattr(module, "DIRECT", module.DIRECT or 1 << 30)
    monkeypatch.setattr(module.os, "open", open_file)
    return tried


def test_files_are_the_same_byte_by_byte(tmp_path):
    write(tmp_path / "direct")
    write(tmp_path / "usual", zarr.storage.LocalStore)
    assert content(tmp_path / "direct") == content(tmp_path / "usual")
    np.testing.assert_array_equal(zarr.open_group(tmp_path / "direct", mode="r")["large"][...], VALUES)


def test_a_file_system_that_cannot_gets_files_as_usual(tmp_path, monkeypatch, caplog):
    tried = refuse(monkeypatch, errno.EINVAL)
    with caplog.at_level("INFO"):
        write(tmp_path / "direct")
    assert tried and "no direct writing here" in caplog.text
    write(tmp_path / "usual", zarr.storage.LocalStore)
    assert content(tmp_path / "direct") == content(tmp_path / "usual")


def test_a_full_disk_is_an_error(tmp_path, monkeypatch):
    refuse(monkeypatch, errno.ENOSPC)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "direct")
