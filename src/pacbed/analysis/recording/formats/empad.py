"""EMPAD: frames in a ``.raw`` file that an ``.xml`` file beside it describes."""

from __future__ import annotations

import re
from pathlib import Path

from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.stored import StoredImage
from pacbed.errors import PatternError

FRAMES = re.compile(rb"<raw_file[^>]*\bfilename\s*=\s*[\"']([^\"']*)[\"']")


def read_empad(file: Path) -> list[StoredImage]:
    """The frames of a description, which have to lie beside it.

    Raises
    ------
    PatternError
        The description names no file of frames, one elsewhere, or one that is not there.
    """
    named = FRAMES.search(file.read_bytes())
    name = "" if named is None else named[1].decode("utf-8", "replace")
    if not name or re.search(r"[/\\]", name) or name == "..":
        raise PatternError(f"file: {file} names the frames {name!r}, accepted: a file in the same folder")
    if not (file.parent / name).resolve().is_relative_to(file.resolve().parent):
        raise PatternError(f"file: {file} names the frames {name!r}, which lie elsewhere, accepted: the same folder")
    if not (file.parent / name).is_file():
        raise PatternError(f"file: {file} names the frames {name!r}, which are not there, accepted: both files")
    return read_with("empad", file)
