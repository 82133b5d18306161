"""NumPy's own files: one array (.npy) or several (.npz)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.stored import StoredImage


@contextmanager
def open_npy(file: Path) -> Iterator[list[StoredImage]]:
    """The array of an ``.npy`` file as a memory map."""
    yield [StoredImage(np.load(file, mmap_mode="r", allow_pickle=False))]


class ZippedArray:
    """An array of an ``.npz`` file: its header is read at once, its values when it is indexed.

    Attributes
    ----------
    shape, dtype
        As for an array.
    """

    def __init__(self, file: Path, member: str) -> None:
        self._file, self._member = file, member
        with zipfile.ZipFile(file) as archive, archive.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            if version == (1, 0):
                header = np.lib.format.read_array_header_1_0(stream)
            else:
                header = np.lib.format.read_array_header_2_0(stream)
        self.shape, self.dtype = header[0], header[2]

    @cached_property
    def _values(self) -> np.ndarray:
        with zipfile.ZipFile(self._file) as archive, archive.open(self._member) as stream:
            return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))

    def __getitem__(self, key: Any) -> np.ndarray:
        """A part of the array; the whole is read once."""
        return np.asarray(self._values[key])


@contextmanager
def open_npz(file: Path) -> Iterator[list[StoredImage]]:
    """The arrays of an ``.npz`` file, by name."""
    with zipfile.ZipFile(file) as archive:
        members = [name for name in archive.namelist() if name.endswith(".npy")]
    yield [StoredImage(ZippedArray(file, name), path=name.removesuffix(".npy")) for name in members]
