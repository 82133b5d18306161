"""Zarr, as a folder or zipped: HyperSpy's layout (.zspy), or plain arrays."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import zarr

from pacbed.analysis.recording.formats.containers.hspy import ARRAY, SIGNALS
from pacbed.analysis.recording.formats.kinds import ZARR_FILES
from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.guard.chunks import check_chunks
from pacbed.analysis.recording.scaled import unpacked
from pacbed.analysis.recording.stored import NAMES_SHOWN, Axis, StoredImage, check_list, listed_axis
from pacbed.errors import PatternError


@contextmanager
def open_zarr(file: Path) -> Iterator[list[StoredImage]]:
    """The arrays of a Zarr store, by path."""
    with ExitStack() as stack:
        store: Any = str(file)
        place = ""
        if file.is_file():
            place = _root_in_zip(file)
            store = stack.enter_context(zarr.storage.ZipStore(file, mode="r"))
        node = zarr.open(store, mode="r", path=place)
        arrays = [("", node)] if isinstance(node, zarr.Array) else list(_arrays(node))
        for name, array in arrays:
            check_chunks(array, f"{file}, {name}".rstrip(", "))
        if isinstance(node, zarr.Array):
            yield [StoredImage(node)]
        elif str(node.attrs.get("file_format", "")).lower() == "zspy":
            for name, array in arrays:
                if name.endswith("/axis"):
                    check_list(array, f"{file}, {name}")
            paths = [f"{SIGNALS}/{name}/{ARRAY}" for name, group in _signals(node) if ARRAY in group]
            yield read_with("zspy", file, paths=paths, mode="r", path=place)
        else:
            images = [(name, array) for name, array in arrays if array.ndim >= 2]
            yield [
                StoredImage(unpacked(array, _attributes(array)), _dimensions(array, node, name), path=name)
                for name, array in images
            ]


def _signals(root: Any) -> list[tuple[str, Any]]:
    """Groups of HyperSpy's layout that may hold an array, in the order in which RosettaSciIO goes through them."""
    signals = root.get(SIGNALS, {})
    return [(name, signals[name]) for name in signals if isinstance(signals[name], zarr.Group)]


def _root_in_zip(file: Path) -> str:
    """Folder of an archive that is the Zarr store: file managers pack a folder with its name, programs its content.

    Raises
    ------
    PatternError
        There are several stores.
    """
    with zipfile.ZipFile(file) as archive:
        folders = {posixpath.dirname(name) for name in archive.namelist() if posixpath.basename(name) in ZARR_FILES}
    root = posixpath.commonpath(folders)
    if root not in folders:
        listed = ", ".join(sorted(folders)[:NAMES_SHOWN])
        raise PatternError(f"file: {file} holds Zarr stores in {listed}, accepted: one store in an archive")
    return root


def _attributes(array: Any) -> dict[str, Any]:
    """Attributes of an array; xarray keeps the number that stands for no value where format 2 has one for itself."""
    fill = {"_FillValue": array.fill_value} if array.fill_value and array.metadata.zarr_format == 2 else {}
    return dict(array.attrs) | fill


def _dimensions(array: Any, root: Any, path: str) -> tuple[Axis, ...]:
    """Axes of an array by their names, and by the coordinates of these names beside it, as xarray writes them."""
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if not names or len(names) != array.ndim:
        return ()
    folder = path.rpartition("/")[0]
    axes = []
    for name, length in zip(names, array.shape, strict=True):
        place = root.get(f"{folder}/{name}" if folder else str(name)) if name else None
        if isinstance(place, zarr.Array) and place.shape == (length,) and length > 1 and place.dtype.kind in "iuf":
            axes.append(listed_axis(str(name), place.attrs.get("units", ""), place))
        else:
            axes.append(Axis(str(name or "")))
    return tuple(axes)


def _arrays(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Arrays below any group, with their paths."""
    for name, array in sorted(group.arrays()):
        yield f"{prefix}{name}", array
    for name, inner in sorted(group.groups()):
        yield from _arrays(inner, f"{prefix}{name}/")
