"""TVIPS: frames of a series in one file or several, each behind a header of its own; they stay in their files.

RosettaSciIO would copy all of them into memory, so that of it only the description of the file's header serves here.
"""

from __future__ import annotations

import re
from itertools import count, takewhile
from pathlib import Path

import numpy as np

from pacbed.analysis.recording.formats.containers.dectris import JoinedFrames
from pacbed.analysis.recording.stored import Axis, StoredImage
from pacbed.errors import PatternError

FIRST = re.compile(r"(.*_)000(\.tvips)", re.IGNORECASE)
VERSION = 2  # of the header; RosettaSciIO reads no other


def read_tvips(file: Path) -> list[StoredImage]:
    """The frames of a series, shape (frame, y, x), mapped where they lie.

    The size of a pixel is not taken over: the file notes that of the camera's own pixels, in nm.

    Raises
    ------
    PatternError
        It is not the first file of a series, of another version, goes on outside its folder, or lacks files between.
    """
    from rsciio.tvips._api import TVIPS_RECORDER_GENERAL_HEADER

    first = file.resolve()
    if (name := FIRST.fullmatch(first.name)) is None:
        raise PatternError(f"file: got {file}, accepted: the first file of a series, whose name ends in _000.tvips")
    header = np.fromfile(first, TVIPS_RECORDER_GENERAL_HEADER, 1)[0]
    if header["version"] != VERSION:
        raise PatternError(f"file: {file} has version {header['version']} of TVIPS, accepted: {VERSION}")
    frame = (f"u{header['bitsperpixel'] // 8}", (int(header["dimy"]), int(header["dimx"])))
    record = np.dtype([("header", f"V{header['frameheaderbytes']}"), ("frame", *frame)])
    others = (first.with_name(f"{name[1]}{number:03d}{name[2]}") for number in count(1))
    parts = [np.memmap(first, record, mode="r", offset=int(header["size"]))["frame"]]
    for part in takewhile(Path.is_file, others):
        if part.resolve().parent != first.parent:
            raise PatternError(f"file: {file} goes on in {part.resolve()}, accepted: files of its own folder")
        parts.append(np.memmap(part, record, mode="r")["frame"])
    _check_numbers(first, name, len(parts))
    axes = (Axis("time", "s", scan=True), Axis("dy", scan=False), Axis("dx", scan=False))
    metadata = {"Acquisition_instrument": {"TEM": {"beam_energy": float(header["ht"])}}}
    return [StoredImage(JoinedFrames(parts), axes, metadata=metadata)]


def _check_numbers(first: Path, name: re.Match[str], count: int) -> None:
    """Refuse a series of which there are later files than those that follow one another."""
    alike = re.compile(rf"{re.escape(name[1])}(\d{{3}}){re.escape(name[2])}")
    later = [
        one.name for one in first.parent.iterdir() if (found := alike.fullmatch(one.name)) and int(found[1]) >= count
    ]
    if later:
        lacking = f"{name[1]}{count:03d}{name[2]}"
        raise PatternError(
            f"file: {first} goes on in {min(later)}, and {lacking} is not there, accepted: all its files"
        )
