"""EMPAD: frames in a ``.raw`` file that an ``.xml`` file beside it describes."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.stored import StoredImage
from pacbed.errors import PatternError


def frames_named(file: Path) -> list[str]:
    """Files of frames that a description names, however it is encoded; none where it describes something else.

    Raises
    ------
    ElementTree.ParseError
        It is no XML.
    """
    return [element.get("filename", "") for element in ElementTree.parse(file).iter("raw_file")]


def read_empad(file: Path) -> list[StoredImage]:
    """The frames of a description, which have to lie beside it.

    Raises
    ------
    PatternError
        The description names no file of frames, one elsewhere, or one that is not there.
    """
    for name in frames_named(file) or [""]:
        if not name or re.search(r"[/\\]", name) or name == "..":
            raise PatternError(f"file: {file} names the frames {name!r}, accepted: a file in the same folder")
        if not (file.parent / name).resolve().is_relative_to(file.resolve().parent):
            told = "which lie elsewhere, accepted: the same folder"
            raise PatternError(f"file: {file} names the frames {name!r}, {told}")
        if not (file.parent / name).is_file():
            raise PatternError(f"file: {file} names the frames {name!r}, which are not there, accepted: both files")
    return read_with("empad", file)
