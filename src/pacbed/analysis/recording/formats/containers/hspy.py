"""Files of HyperSpy, also those whose arrays are stored in one piece, as other programs write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.guard.chunks import repacking
from pacbed.analysis.recording.guard.sizes import LARGEST_ARCHIVED
from pacbed.analysis.recording.stored import StoredImage, sizes
from pacbed.errors import PatternError

SIGNALS, ARRAY = "Experiments", "data"


def read_hspy(store: Any, file: Path) -> list[StoredImage]:
    """The arrays of a file of HyperSpy: left in it, or read whole where one of them is in one piece.

    RosettaSciIO leaves arrays in a file by their chunks alone.

    Parameters
    ----------
    store : h5py.File
    file : Path
        The same file.

    Raises
    ------
    PatternError
        There is one in one piece, and they are too large to be read.
    """
    import h5py

    signals = store.get(SIGNALS, {}).items()
    found = {name: group[ARRAY] for name, group in signals if isinstance(group, h5py.Group) and ARRAY in group}
    paths = [f"{SIGNALS}/{name}/{ARRAY}" for name in found]
    arrays = [item for item in found.values() if isinstance(item, h5py.Dataset) and item.shape]
    if all(item.chunks for item in arrays):
        return read_with("hspy", file, paths=paths)
    for item in arrays:
        if item.size > LARGEST_ARCHIVED:
            raise PatternError(
                f"{file}, {item.name}: got {sizes(item.shape)} values in one piece, accepted: at most "
                f"{LARGEST_ARCHIVED}, or chunks; {repacking(item)}"
            )
    return read_with("hspy", file, lazy=False, paths=paths)
