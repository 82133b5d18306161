"""Files that name other files: those outside their own folder are refused before anything is read.

HDF5 knows four ways to bring another file in: external links, external storage, virtual data sets, and soft links
through one of these; a TIFF has two, the description of an OME-TIFF and the index of an NDTiff. Without a look at them,
a pattern from elsewhere shows any file of the machine on its sheet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, takewhile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pacbed.analysis.recording.guard.sizes import TIFF_MAGIC
from pacbed.errors import PatternError

NETCDF = b"CDF"  # before netCDF 4, which is HDF5; RosettaSciIO's reader calls `eval` with text of the file
XML_STARTS = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
BLOCK = "%b"  # in the name of a virtual data set's sources: their number from 0 (H5Pset_virtual in the manual of HDF5)


def check_references(path: str | Path) -> None:
    """Refuse a file or folder that reaches outside its own folder; symbolic links are resolved first.

    Parameters
    ----------
    path : path
        HDF5 of any flavour, a Zarr folder, the XML of an EMPAD, TIFF; anything else names no other file.

    Raises
    ------
    PatternError
        It names a file elsewhere, or one that is not there.
    OSError
        It is damaged.
    """
    import h5py

    file = Path(path)
    if file.is_dir():
        _check_folder(file)
        return
    with file.open("rb") as stream:
        start = stream.read(4)
    if start.startswith(NETCDF):
        why = "netCDF before version 4, whose reader executes text of the file"
        raise PatternError(f"pattern: got {file.name}, accepted: any other format than {why}")
    if start.lstrip().startswith(XML_STARTS):
        with suppress(ElementTree.ParseError):  # text of another kind, or damaged: no reader finds names in it
            for element in ElementTree.parse(file).iter("raw_file"):
                _inside(element.get("filename", ""), file, file.resolve().parent)
    elif start in TIFF_MAGIC:
        for name in _named_by_tiff(file):
            _inside(name, file, file.resolve().parent)
    elif h5py.is_hdf5(file):
        for _ in stores_reached(file):
            pass


def _check_folder(folder: Path) -> None:
    """Zarr itself refuses names with ``..``, so that links of the file system are all there is."""
    root = folder.resolve()
    for parent, folders, files in os.walk(folder):
        for entry in (Path(parent, name) for name in (*folders, *files)):
            if entry.is_symlink() and not entry.resolve().is_relative_to(root):
                raise _refusal(f"{entry.relative_to(folder)} -> {entry.resolve()}", folder)


def stores_reached(file: Path) -> Iterator[Any]:
    """An HDF5 file and every file that it reaches, open one by one: what lies inside the folder may reach further.

    Raises
    ------
    PatternError
        As `check_references`.
    OSError
        A file is damaged.
    """
    import h5py

    own, seen, waiting = file.resolve().parent, set(), [file]
    while waiting:
        one = waiting.pop()
        if one.resolve() in seen or not h5py.is_hdf5(one):
            continue
        seen.add(one.resolve())
        with h5py.File(one, "r") as store:
            waiting += [_inside(name, one, own) for name in _files_named(store, one)]
            yield store


def _files_named(store: Any, file: Path) -> list[str]:
    """Other files that an open HDF5 file names in links and virtual data sets."""
    import h5py

    links: list[tuple[str, Any]] = []
    store.visititems_links(lambda name, link: links.append((name, link)))
    names: list[str] = []
    for name, link in links:
        if isinstance(link, h5py.ExternalLink):
            names.append(link.filename)
        elif isinstance(link, h5py.HardLink) and isinstance(item := store[name], h5py.Dataset):
            if item.external:
                raise PatternError(
                    f"pattern: got external storage in {item.external[0][0]!r} in {file}, accepted: values that lie "
                    "in the HDF5 file itself, and references to files of its own folder only"
                )
            if item.is_virtual:
                sources = {source.file_name for source in item.virtual_sources()} - {"."}
                names.extend(name for source in sources for name in _numbered(source, file.parent))
    return names


def _numbered(name: str, folder: Path) -> list[str]:
    """The files that a name stands for: itself, or those of its numbered blocks that are there, at least the first."""
    if BLOCK not in name:
        return [name]
    blocks = (name.replace(BLOCK, str(number)) for number in count())
    return list(takewhile(lambda block: (folder / block).exists(), blocks)) or [name.replace(BLOCK, "0")]


def _named_by_tiff(file: Path) -> list[str]:
    """Other files in which the description of an OME-TIFF, or the index of an NDTiff, says that pages lie."""
    import tifffile

    with tifffile.TiffFile(file) as tiff:
        if tiff.is_ndtiff:
            index = tifffile.read_ndtiff_index(file.parent / "NDTiff.index")
            return sorted({entry[1] for entry in index} - {file.name})
        about = tiff.ome_metadata
    try:
        root = ElementTree.fromstring(about or "<OME/>")
    except ElementTree.ParseError:  # tifffile, too, takes such pages as they stand
        return []
    named = {part.get("FileName", file.name) for part in root.iterfind(".//{*}UUID") if part.text != root.get("UUID")}
    return sorted(name for name in named if name.lower() != file.name.lower())


def _inside(name: str, holder: Path, own: Path) -> Path:
    """Where the HDF5 library finds a file that another names: it must lie in the folder `own`, or below."""
    given = Path(name)
    # An absolute name is tried as it stands, then its last part as any other name: beside the file that names it, in
    # the working directory, beside the real file behind a symbolic link (H5Pset_elink_prefix in the manual of HDF5).
    last = given.name if given.is_absolute() else given
    places = [folder / last for folder in (holder.parent, Path.cwd(), holder.resolve().parent)]
    places = [given, *places] if given.is_absolute() else places
    place = next((place for place in places if place.exists()), places[0])
    if not place.resolve().is_relative_to(own):
        raise _refusal(f"a reference to {name!r}", holder)
    if not place.is_file():
        raise PatternError(f"pattern: got a reference to {name!r} in {holder}, accepted: files that lie beside it")
    return place


def _refusal(what: str, file: Path) -> PatternError:
    return PatternError(f"pattern: got {what} in {file}, accepted: references to files of its own folder only")
