"""Links between HDF5 files: followed inside a file's own folder, and looked at before."""

from __future__ import annotations

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
        The file that holds the group.

    Raises
    ------
    PatternError
        The name is a link to another file that is missing, or lies outside this file's own folder.
    """
    import h5py

    link = group.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        folder = file.resolve().parent
        target = (folder / link.filename).resolve()
        if not target.is_relative_to(folder):
            raise PatternError(f"file: {file} links to {target}, accepted: links inside the file's own folder")
        if not target.is_file():
            raise PatternError(f"file: {file} links to {link.filename}, which is not there, accepted: all its files")
    return group[name]


def linked_names(store: Any) -> list[str]:
    """Paths in an open HDF5 file that are links to other files."""
    import h5py

    names: list[str] = []

    def visit(name: str, link: Any) -> None:
        if isinstance(link, h5py.ExternalLink):
            names.append(name)

    store.visititems_links(visit)
    return names
