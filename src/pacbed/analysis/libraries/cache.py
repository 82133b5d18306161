"""Libraries of convergence angles, rendered once for all processes of a user and kept beside the cached tables."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import numpy as np

from pacbed.analysis.fit.matching.library import Library
from pacbed.bundle.pretrained.cache import entry_of, limit_gb, lock_of, shrink_cache
from pacbed.bundle.reader import Bundle
from pacbed.locks import locked
from pacbed.logs import tell_user
from pacbed.outputs import file_aside

LIBRARY_VERSION = 1  # raised where libraries are built otherwise


def cached_library(bundle: Bundle, kind: tuple[float, ...], build: Callable[[], Library]) -> Library:
    """A library, built if nobody has built it yet.

    Parameters
    ----------
    bundle : Bundle
        One that is not packed has no hash of its own, and its libraries are not kept.
    kind : tuple of float
        Tells the libraries of a bundle apart: semi-convergence angle and whatever else it was built with.
    build : callable
        Renders it.
    """
    if not bundle.meta.members:
        return build()
    entry = library_entry(bundle, kind)
    kept = _read(entry)
    if kept is None:
        return _made(entry, build)
    with suppress(OSError):
        os.utime(entry)  # when it was used last
    return kept


def library_entry(bundle: Bundle, kind: tuple[float, ...]) -> Path:
    """The file of a library, named after its system and all that it depends on."""
    return entry_of(bundle, f"{kind} {LIBRARY_VERSION}", kind="-library", suffix=".npz")


def _made(entry: Path, build: Callable[[], Library]) -> Library:
    """A library, built once however many wait for it, and kept if there is a folder that can be written to."""
    made = None
    try:
        with locked(lock_of(entry), waiting=lambda: None):
            made = _read(entry)
            if made is None:
                made = build()
                _keep(made, entry)
    except OSError:  # a kiosk's cache, a full disk
        made = made or build()
    return made


def _keep(library: Library, entry: Path) -> None:
    arrays = {one.name: getattr(library, one.name) for one in fields(Library)}
    with file_aside(entry) as aside:
        np.savez(aside, **{name: value for name, value in arrays.items() if value is not None})
    shrink_cache(entry.parent, limit_bytes=1e9 * limit_gb(), tell=tell_user)


def _read(entry: Path) -> Library | None:
    """A library that was kept; None if it is not there, or damaged."""
    try:
        with np.load(entry, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}  # Zip compares a checksum
        angle = float(arrays.pop("convergence_mrad"))
        return Library(**{"mirror": None, **arrays}, convergence_mrad=angle)
    except Exception:  # numpy and zipfile raise what they like on damaged data: it is built again
        return None
