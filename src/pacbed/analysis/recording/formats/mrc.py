"""MRC: a header of fixed layout and one block of values, which has to be there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.stored import StoredImage, sizes
from pacbed.errors import PatternError

BYTES = {0: 1, 1: 2, 2: 4, 3: 4, 4: 8, 6: 2, 7: 4, 12: 2}  # of one value, by mode


def read_mrc(file: Path) -> list[StoredImage]:
    """The image or the stack of an MRC file.

    Raises
    ------
    PatternError
        The header declares more than the file holds: damage, which would keep RosettaSciIO busy for long.
    """
    head = np.fromfile(file, "<i4", 4)
    if len(head) == 4:
        shape, mode = [int(length) for length in head[2::-1]], int(head[3])
        declared = float(np.prod(np.array(shape, float))) * BYTES.get(mode, 1)
        if min(shape) < 1 or declared > file.stat().st_size:
            raise PatternError(f"file: {file} declares {sizes(shape)} values, accepted: no more than the file holds")
    return read_with("mrc", file, own_flags=False)
