"""Who reads a file: told by its first bytes, by what a container holds, and by the suffix only where bytes say nothing.

A picture that somebody renamed is read as what it is; of formats without a mark of their own (TVIPS, old MRC, Ripple)
the suffix decides.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

from pacbed.analysis.recording.formats.empad import frames_named
from pacbed.errors import PatternError

TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
PICTURE_MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM")
DM_MARKS = (b"\0\0\0\x03", b"\0\0\0\x04")
TIA_MARK = b"II\x97\x01"
MAT_MARK = b"MATLAB 5.0 MAT-file"
ZARR_FILES = (".zarray", ".zgroup", "zarr.json")
HEAD_BYTES = 4096
# Modules of RosettaSciIO for images and scans without a mark; the rest read spectra, surfaces or logs.
BY_SUFFIX = {
    ".tvips": "tvips",
    ".mrc": "mrc",
    ".mrcs": "mrc",
    ".ali": "mrc",
    ".st": "mrc",
    ".mrcz": "mrcz",
    ".rpl": "ripple",
    ".unf": "semper",
    ".prz": "pantarhei",
    ".emi": "tia",
    ".ser": "tia",
    ".dm3": "digitalmicrograph",
    ".dm4": "digitalmicrograph",
    ".mib": "quantumdetector",
    ".blo": "blockfile",
}
READ = (
    ".tif .png .jpg .gif .npy .npz .dm3 .dm4 .emd .hspy .zspy .mib .hdr .blo .ser .emi .tvips .mrc .nxs .h5 .mat "
    ".zarr, EMPAD's .xml, or another format of RosettaSciIO (docs/formats.md)"
)


class Kind(NamedTuple):
    """A kind of file.

    Attributes
    ----------
    name : str
        "tiff", "picture", "npy", "npz", "mat", "hdf5", "zarr", or "rosetta".
    plugin : str
        Module of RosettaSciIO, for the last.
    """

    name: str
    plugin: str = ""


def kind_of(file: Path) -> Kind:
    """Which reader a file needs.

    Raises
    ------
    PatternError
        Nobody reads it; EMPAD's frames without their description are named as such.
    """
    if file.is_dir():
        if any((file / name).is_file() for name in ZARR_FILES):
            return Kind("zarr")
        raise PatternError(f"file: got the folder {file}, accepted: a file, or a folder that is a Zarr store")
    with file.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    return _by_mark(head) or _container(file, head) or _by_suffix(file)


def beside(file: Path, suffix: str) -> Path | None:
    """The file with the same name and another suffix, both in whatever case; None where there is none."""
    name = file.with_suffix(suffix).name
    alike = [one for one in file.parent.iterdir() if one.name.casefold() == name.casefold() and one.is_file()]
    return min(alike, key=lambda one: (one.name != name, one.stem != file.stem, one.name), default=None)


def _by_mark(head: bytes) -> Kind | None:
    """Formats that begin with bytes of their own."""
    if head.startswith(TIFF_MARKS):
        return Kind("tiff")
    if head.startswith(b"\x93NUMPY"):
        return Kind("npy")
    if head.startswith(PICTURE_MARKS):
        return Kind("picture")
    if head.startswith(DM_MARKS):
        return Kind("rosetta", "digitalmicrograph")
    if head.startswith(b"MQ1,"):
        return Kind("rosetta", "quantumdetector")
    if head.startswith(b"IMGBLO"):
        return Kind("rosetta", "blockfile")
    if head.startswith(MAT_MARK):
        return Kind("mat")
    if head.startswith(TIA_MARK):
        return Kind("rosetta", "tia")
    if head[208:212] == b"MAP ":
        return Kind("rosetta", "mrc")
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<?xml") or head.lstrip().startswith(b"<root"):
        return Kind("rosetta", "empad") if b"raw_file" in head else None
    return None


def _container(file: Path, head: bytes) -> Kind | None:
    """HDF5, whose mark may stand behind a user's own block, and zip archives by their members."""
    import h5py

    if h5py.is_hdf5(file):
        return Kind("hdf5")
    if not head.startswith(b"PK\x03\x04"):
        return None
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    if any(Path(name).name in ZARR_FILES for name in names):
        return Kind("zarr")
    if file.suffix.lower() == ".prz":
        return Kind("rosetta", "pantarhei")
    return Kind("npz") if any(name.endswith(".npy") for name in names) else None


def _by_suffix(file: Path) -> Kind:
    suffix = file.suffix.lower()
    if suffix == ".mat":  # before version 5 without a mark
        return Kind("mat")
    if suffix in BY_SUFFIX:
        return Kind("rosetta", BY_SUFFIX[suffix])
    if suffix == ".hdr" and (frames := beside(file, ".mib")) is not None:
        raise PatternError(f"file: got {file}, accepted: its frames, {frames.name}")
    if suffix == ".raw":
        raise PatternError(f"file: got {file}, accepted: the .xml file that describes EMPAD's frames")
    if suffix == ".xml" and frames_named(file):
        return Kind("rosetta", "empad")
    raise PatternError(f"file: nobody reads {file}, which begins like no known format, accepted: {READ}")
