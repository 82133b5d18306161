"""Links between HDF5 files: followed inside a file's own folder, and looked at before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pacbed.errors import PatternError


def follow_link(group: Any, name: str, file: Path) -> Any:
    """What stands behind a name in a group of an open HDF5 file.

    Parameters
    ----------
    group : h5py.Group
    name : str
    file : Path
        The file that was opened first, whose folder counts.

    Raises
    ------
    PatternError
        The name is a link to another file that is missing, or lies outside the folder.
    KeyError, RuntimeError
        A link leads nowhere in its file, or to itself.
    """
    import h5py

    link = group.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        folder = file.resolve().parent
        target = (_file_of(group).parent / link.filename).resolve()
        if not target.is_relative_to(folder):
            raise PatternError(f"file: {file} links to {target}, accepted: links inside the file's own folder")
        if not target.is_file():
            raise PatternError(f"file: {file} links to {link.filename}, which is not there, accepted: all its files")
    found = group[name]
    if not _file_of(found).is_relative_to(file.resolve().parent):  # through links on the way
        raise PatternError(f"file: {file} links to {_file_of(found)}, accepted: links inside the file's own folder")
    return found


def linked_objects(store: Any, file: Path) -> Iterator[tuple[str, Any]]:
    """What only links of an open HDF5 file reach, at any depth, each object once: groups may link back.

    Parameters
    ----------
    store : h5py.File
    file : Path
        The same file.

    Yields
    ------
    str, h5py.Group or h5py.Dataset
        Path by which it is reached, and what is there.

    Raises
    ------
    PatternError
        As `follow_link`.
    """
    import h5py

    seen = {identity(store["/"])}
    store.visititems(lambda _, item: seen.add(identity(item)))
    waiting = deque([("", store)])
    while waiting:
        prefix, group = waiting.popleft()
        for name in _links(group):
            try:
                target = follow_link(group, name, file)
            except (KeyError, RuntimeError):  # it leads nowhere, or to itself
                continue
            for path, item in _tree(f"{prefix}{name}", target):
                if (own := identity(item)) not in seen:
                    seen.add(own)
                    yield path, item
                    if item is target and isinstance(target, h5py.Group):
                        waiting.append((f"{path}/", target))


def identity(item: Any) -> tuple[Path, int]:
    """The same for all names of an object of an HDF5 file, also when the file has been closed in between.

    Parameters
    ----------
    item : h5py.Group or h5py.Dataset
    """
    import h5py

    return _file_of(item), h5py.h5o.get_info(item.id).addr


def _tree(path: str, item: Any) -> list[tuple[str, Any]]:
    """An object and what lies below it without links."""
    found = [(path, item)]
    if hasattr(item, "visititems"):
        item.visititems(lambda name, inner: found.append((f"{path}/{name}", inner)))
    return found


def _links(group: Any) -> list[str]:
    """Paths below a group that are links: those to other files first, which give what is there its shortest name."""
    import h5py

    external: list[str] = []
    soft: list[str] = []

    def visit(name: str, link: Any) -> None:
        if isinstance(link, h5py.ExternalLink):
            external.append(name)
        elif isinstance(link, h5py.SoftLink):
            soft.append(name)

    group.visititems_links(visit)
    return external + soft


def _file_of(item: Any) -> Path:
    return Path(item.file.filename).resolve()
