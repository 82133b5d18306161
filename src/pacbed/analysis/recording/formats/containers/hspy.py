"""Files of HyperSpy, also those whose arrays are stored in one piece, as other programs write them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

from pacbed.analysis.recording.formats.rosetta import images_of
from pacbed.analysis.recording.stored import StoredImage

BLOCK_BYTES = 2**24


def in_blocks(shape: Sequence[int], item_bytes: int) -> tuple[int, ...]:
    """Shape of the blocks to read an array in that lies in a file in one piece, along its last axes first."""
    block = list(shape)
    for axis in range(len(block)):
        others = prod(block[:axis] + block[axis + 1 :]) * item_bytes
        block[axis] = max(min(block[axis], BLOCK_BYTES // max(others, 1)), 1)
    return tuple(block)


def read_hspy(store: Any, file: Path) -> list[StoredImage]:
    """The arrays of a file of HyperSpy, left in it.

    Parameters
    ----------
    store : h5py.File
    file : Path
        The same file.
    """
    import h5py
    from rsciio.hspy._api import HyperspyReader

    class Whole(h5py.Dataset):
        """An array in one piece, divided for its reader."""

        @property
        def chunks(self) -> tuple[int, ...]:
            return in_blocks(self.shape, self.dtype.itemsize)

    class Reader(HyperspyReader):
        """RosettaSciIO's, which asks each array for its chunks."""

        def _read_array(self, group: Any, dataset_key: str) -> Any:
            data = super()._read_array(group, dataset_key)
            return Whole(data.id) if isinstance(data, h5py.Dataset) and data.chunks is None else data

    return images_of(Reader(store).read(lazy=True), file.name)
