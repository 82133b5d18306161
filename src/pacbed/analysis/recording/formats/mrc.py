"""MRC: a header of fixed layout and one block of values, which has to be there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.stored import StoredImage, sizes
from pacbed.errors import PatternError

BYTES = {0: 1, 1: 2, 2: 4, 3: 4, 4: 8, 6: 2, 7: 4, 12: 2}  # of one value, by mode
BIG_ENDIAN, IMOD = 0x11, 1146047817  # stamps: of the machine, and of IMOD before its flags
SIGNED = 1  # IMOD's flag
HEADER = np.dtype(
    {
        "names": ["lengths", "mode", "least", "imod", "flags", "machine"],
        "formats": [("<i4", 3), "<i4", "<f4", "<i4", "<i4", "u1"],
        "offsets": [0, 12, 76, 152, 156, 212],
        "itemsize": 1024,
    }
)


def read_mrc(file: Path) -> list[StoredImage]:
    """The image or the stack of an MRC file, in the order of bytes that its stamp or its size tells.

    Raises
    ------
    PatternError
        The header is cut, or declares more than the file holds: damage, which would keep RosettaSciIO busy for long.
    """
    found = np.fromfile(file, HEADER, 1)
    if not len(found):
        raise PatternError(f"file: {file} ends within its header of {HEADER.itemsize} bytes, accepted: a whole file")
    headers = {"<": found[0], ">": found.view(HEADER.newbyteorder(">"))[0]}
    likely = "><" if found[0]["machine"] == BIG_ENDIAN else "<>"
    order = next((one for one in likely if _fits(headers[one], file)), None)
    if order is None:
        shape = sizes(headers[likely[0]]["lengths"][::-1])
        raise PatternError(f"file: {file} declares {shape} values, accepted: no more than the file holds")
    images = read_with("mrc", file, own_flags=False, endianness=order)
    # RosettaSciIO takes the order for the header alone, and bytes for unsigned ones.
    signed = _has_signed_bytes(headers[order])
    dtypes = [np.dtype("i1") if signed else image.values.dtype.newbyteorder(order) for image in images]
    return [replace(image, values=image.values.view(dtype)) for image, dtype in zip(images, dtypes, strict=True)]


def _fits(header: np.void, file: Path) -> bool:
    declared = float(np.prod(header["lengths"], dtype=float)) * BYTES.get(int(header["mode"]), 1)
    return min(header["lengths"]) >= 1 and declared <= file.stat().st_size


def _has_signed_bytes(header: np.void) -> bool:
    """Bytes are signed since MRC2014, and were not before: IMOD says which, else a negative minimum does."""
    if header["mode"] != 0:
        return False
    return bool(header["flags"] & SIGNED if header["imod"] == IMOD else header["least"] < 0)
