"""Reading a block of a rocking table without holding all of it."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from pacbed.errors import FormatError
from pacbed.simulation.table.block_check import check_block

DAMAGE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)
CHUNK_BYTES = 1 << 23  # read at once: much more than a call costs, little beside a table
SAMPLES = ("intensity", "diffuse")


@dataclass(frozen=True)
class PlaneFile:
    """Samples (plane, pair) of one block on disk; iterating reads them, some planes at a time.

    Attributes
    ----------
    folder : path
        Folder of the block.
    name : str
        Array in its ``block.npz``.
    shape : tuple of int
        Planes and pairs.
    """

    folder: Path
    name: str
    shape: tuple[int, int]

    @classmethod
    def of(cls, archive: zipfile.ZipFile, folder: Path, name: str) -> PlaneFile:
        """An array of an open block, its shape read."""
        with archive.open(f"{name}.npy") as stream:
            return cls(folder, name, _shape(stream))

    def __iter__(self) -> Iterator[np.ndarray]:
        planes, pairs = self.shape
        step = max(1, CHUNK_BYTES // max(1, 2 * pairs))
        try:
            with _block(self.folder) as archive, archive.open(f"{self.name}.npy") as stream:
                _shape(stream)
                for first in range(0, planes if pairs else 0, step):
                    count = min(step, planes - first)
                    data = stream.read(2 * count * pairs)
                    yield np.frombuffer(data, dtype=np.uint16).reshape(count, pairs)
        except DAMAGE as error:
            raise _damaged(self.folder, error) from error


def read_block(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a block says of its table and holds: arrays, and a `PlaneFile` for each kind of samples.

    Raises
    ------
    FormatError
        The block is damaged or incomplete.
    """
    try:
        with _block(folder) as archive, (folder / "block.npz").open("rb") as stream:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            with np.load(stream, allow_pickle=False) as arrays:
                content: dict[str, Any] = {name: arrays[name] for name in names if name not in SAMPLES}
            content.update({name: PlaneFile.of(archive, folder, name) for name in names if name in SAMPLES})
        facts = json.loads((folder / "grid.json").read_text())
    except DAMAGE as error:
        raise _damaged(folder, error) from error
    check_block(facts, content, folder)
    return facts, content


def _block(folder: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(folder / "block.npz")


def _shape(stream: IO[bytes]) -> tuple[int, int]:
    np.lib.format.read_magic(stream)
    (planes, pairs), transposed, dtype = np.lib.format.read_array_header_1_0(stream)
    if transposed or dtype != np.uint16:
        raise ValueError(f"got {dtype} samples, accepted: uint16 in rows of planes")
    return planes, pairs


def _damaged(folder: Path, error: Exception) -> FormatError:
    return FormatError(f"block {folder}: damaged or incomplete ({error})")
