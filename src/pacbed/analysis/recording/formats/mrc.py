"""MRC: a header of fixed layout and one block of values, which has to be there."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from pathlib import Path

import numpy as np

from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.stored import StoredImage, sizes
from pacbed.errors import PatternError

BYTES = {0: 1, 1: 2, 2: 4, 3: 4, 4: 8, 6: 2, 7: 4, 12: 2, 101: 0.5}  # of one value, by mode
READ = {0, 1, 2, 6, 12}  # modes of real numbers, a whole number of bytes each
ORDERS = {(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)}  # x, y, z along columns, rows, sections
BIG_ENDIAN, IMOD = 0x11, 1146047817  # stamps: of the machine, and of IMOD before its flags
NOTED_STEPS = {  # beside a movie, by axis
    "ky": "Diffraction Pixel Size Y",
    "kx": "Diffraction Pixel Size X",
    "y": "Specimen Pixel Size Y (nanometers)",
    "x": "Specimen Pixel Size X (nanometers)",
}
SIGNED = 1  # IMOD's flag
HEADER = np.dtype(
    {
        "names": ["lengths", "mode", "order", "least", "imod", "flags", "machine"],
        "formats": [("<i4", 3), "<i4", ("<i4", 3), "<f4", "<i4", "<i4", "u1"],
        "offsets": [0, 12, 64, 76, 152, 156, 212],
        "itemsize": 1024,
    }
)


def read_mrc(file: Path) -> list[StoredImage]:
    """The image or the stack of an MRC file, in the order of bytes that its stamp or its size tells.

    Raises
    ------
    PatternError
        Its values are no real numbers of whole bytes. The header is cut, or declares more than the file holds: damage,
        which would keep RosettaSciIO busy for long.
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
    if (mode := int(headers[order]["mode"])) not in READ:
        told = ", ".join(map(str, sorted(READ)))
        raise PatternError(f"file: {file} holds values of MRC's mode {mode}, accepted: real numbers of mode {told}")
    images = read_with("mrc", file, own_flags=False, endianness=order)
    # RosettaSciIO takes the order for the header alone, and bytes for unsigned ones.
    signed = _has_signed_bytes(headers[order])
    dtypes = [np.dtype("i1") if signed else image.values.dtype.newbyteorder(order) for image in images]
    images = [_with_steps(image) for image in images]
    values = [image.values.view(dtype) for image, dtype in zip(images, dtypes, strict=True)]
    return [_in_order(replace(image, values=one), headers[order]) for image, one in zip(images, values, strict=True)]


def _with_steps(image: StoredImage) -> StoredImage:
    """The image with the steps that notes beside a movie of Direct Electron state; RosettaSciIO makes all of them 1."""
    notes = image.original.get("de_metadata")
    if not notes:
        return image
    steps = [NOTED_STEPS.get(axis.name, "") for axis in image.axes]
    found = [_positive(notes.get(step)) for step in steps]
    axes = [
        axis._replace(scale=scale, unit=axis.unit if scale else "") if step else axis
        for axis, step, scale in zip(image.axes, steps, found, strict=True)
    ]
    return replace(image, axes=tuple(axes))


def _positive(text: object) -> float | None:
    """A number above 0; what is not set is -1 there."""
    try:
        number = float(str(text))
    except ValueError:
        return None
    return number if number > 0 and isfinite(number) else None


def _in_order(image: StoredImage, header: np.void) -> StoredImage:
    """The image with axes z, y, x, where the header says that its columns, rows and sections lie along others."""
    stored = tuple(int(axis) for axis in header["order"])[::-1]
    lengths = dict(zip(stored, header["lengths"][::-1], strict=True))
    if stored[::-1] not in ORDERS or [lengths[axis] for axis in stored if lengths[axis] > 1] != list(image.shape):
        return image
    kept = [axis for axis in stored if lengths[axis] > 1]  # RosettaSciIO leaves out axes of one element
    places = [kept.index(axis) for axis in sorted(kept, reverse=True)]
    return replace(image, values=image.values.transpose(places))  # RosettaSciIO calls its axes z, y, x in any case


def _fits(header: np.void, file: Path) -> bool:
    declared = float(np.prod(header["lengths"], dtype=float)) * BYTES.get(int(header["mode"]), 1)
    return min(header["lengths"]) >= 1 and declared <= file.stat().st_size


def _has_signed_bytes(header: np.void) -> bool:
    """Bytes are signed since MRC2014, and were not before: IMOD says which, else a negative minimum does."""
    if header["mode"] != 0:
        return False
    return bool(header["flags"] & SIGNED if header["imod"] == IMOD else header["least"] < 0)
