"""NeXus: groups of data with the array and the axes they mean, and which of them the file itself would show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.formats.containers.links import identity
from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.stored import StoredImage

DEEPEST = 8  # steps from the root to the data; NeXus needs two
USUAL = "data"  # name of the array where none is given


def read_nexus(store: Any, file: Path) -> list[StoredImage]:
    """The array of each group of data, once where several names mean it.

    Parameters
    ----------
    store : h5py.File
    file : Path
        The same file.
    """
    from rsciio.nexus._api import _find_data

    paths = [path for group in _find_data(store)[0] if (path := _signal(store, group))]
    # Its flags only say which axes have places.
    images = read_with("nexus", file, paths=paths, own_flags=False, nxdata_only=True)
    shown = default_data(store)
    kept: dict[object, StoredImage] = {}
    for image in images:
        key = identity(store[image.path]) if image.path else id(image)
        if key not in kept or image.path.strip("/") == shown:
            kept[key] = image
    return list(kept.values())


def default_data(store: Any) -> str:
    """Path of the array that a NeXus file shows by default; empty where it names none.

    Parameters
    ----------
    store : h5py.File
    """
    import h5py

    group, path = store, ""
    for _ in range(DEEPEST):
        if "default" not in group.attrs:
            break
        path = f"{path}/{_text(group.attrs['default'])}".strip("/")
        group = store.get(path)
        if not isinstance(group, h5py.Group):
            return path if isinstance(group, h5py.Dataset) else ""
    return _signal(store, path).strip("/") if path else ""


def with_default(images: Sequence[StoredImage], path: str) -> list[StoredImage]:
    """Images, of which the one at a path is the file's own choice."""
    return [replace(one, preferred=True) if path and one.path.strip("/") == path else one for one in images]


def _signal(store: Any, path: str) -> str:
    """Path of the array that a group of data means, by the group's word or, before 2014, the array's; else empty."""
    import h5py

    group = store[path]
    named = _text(group.attrs.get("signal", ""))
    marked = [name for name in group if isinstance(one := group.get(name), h5py.Dataset) and "signal" in one.attrs]
    name = next((one for one in (named, USUAL, *marked) if one and isinstance(group.get(one), h5py.Dataset)), "")
    return f"{path}/{name}" if name else ""


def _text(value: object) -> str:
    """An attribute as text; of a list, the first."""
    first = np.ravel(np.asarray(value, dtype=object))[:1]
    return (
        "" if not len(first) else first[0].decode("utf-8", "replace") if isinstance(first[0], bytes) else str(first[0])
    )
