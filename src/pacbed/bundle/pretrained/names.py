"""Bundles that ship are found by their names."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from pacbed.config.values import BUNDLE_SUFFIX
from pacbed.errors import FormatError
from pacbed.shipped import PRETRAINED, shipped

MOST_NAMES = 5  # of those that a refusal lists


def shipped_bundles() -> dict[str, Path]:
    """Files of the bundles that ship, by name."""
    return {path.stem: path for path in sorted(shipped(PRETRAINED).glob(f"*{BUNDLE_SUFFIX}"))}


def find_bundle(name: str | Path) -> Path:
    """Path of a bundle: the path itself if it exists, else the one that ships under that name.

    Raises
    ------
    FormatError
        There is neither; the message has the nearest names.
    """
    if Path(name).exists():
        return Path(name)
    known = shipped_bundles()
    if str(name) in known:
        return known[str(name)]
    accepted = "a .pacbed file or folder that exists"
    if re.fullmatch(r"[\w.-]+", str(name)) and known:
        asked = str(name).removesuffix(BUNDLE_SUFFIX)
        near = get_close_matches(asked, known, MOST_NAMES, 0.4) or list(known)[:MOST_NAMES]
        accepted += f", or a name that pacbed list shows, such as {', '.join(near)}"
    raise FormatError(f"bundle: got {str(name)!r}, accepted: {accepted}")
