"""Zarr, as a folder or zipped: HyperSpy's layout (.zspy), or plain arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.stored import StoredImage


@contextmanager
def open_zarr(file: Path) -> Iterator[list[StoredImage]]:
    """The arrays of a Zarr store, by path."""
    import zarr

    with ExitStack() as stack:
        store: Any = str(file)
        if file.is_file():
            store = stack.enter_context(zarr.storage.ZipStore(file, mode="r"))
        node = zarr.open(store, mode="r")
        if isinstance(node, zarr.Array):
            yield [StoredImage(node)]
        elif str(node.attrs.get("file_format", "")).lower() == "zspy":
            yield read_with("zspy", file, mode="r")
        else:
            yield [StoredImage(array, path=name) for name, array in _arrays(node)]


def _arrays(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Arrays of two axes or more, below any group, with their paths."""
    for name, array in sorted(group.arrays()):
        if array.ndim >= 2:
            yield f"{prefix}{name}", array
    for name, inner in sorted(group.groups()):
        yield from _arrays(inner, f"{prefix}{name}/")
