"""How large an array is, asked before it is read: a file of a kilobyte may declare gigabytes."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.guard.tiff_series import series_of
from pacbed.errors import PatternError

LARGEST_VALUES = 2**27  # a camera of 11,520 x 11,520 pixels
LARGEST_ARCHIVED = 2**30  # in an archive of NumPy, which may hold a scan and cannot be read in parts
SLACK, SLACK_BYTES = 1.5, 65536  # by which packing may fail to make a page smaller, LZW of noise by 1.4
SHORT = 12  # axes that an error shows
PICTURE_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
UNCOMPRESSED = 1  # TIFF 6.0, tag 259
TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ZIP_MAGIC = b"PK\x03\x04"
BLO_MAGIC, BLO_SIZES = b"IMGB", "20x4H"  # after 20 bytes: pixels along an edge, rotation, columns and rows of the scan
BLO_HEADER = struct.calcsize(f"={BLO_SIZES}")


def check_size(shape: Sequence[int], source: str, *, largest: int = LARGEST_VALUES) -> None:
    """Refuse an array that is too large to be read as a whole.

    Parameters
    ----------
    shape : sequence of int
        As the file declares it.
    source : str
        For the error.
    largest : int
        Values accepted; by default as many as one pattern may have.

    Raises
    ------
    PatternError
    """
    if prod(int(length) for length in shape) > largest:
        text = " x ".join(str(length) for length in shape[:SHORT]) + (" x ..." if len(shape) > SHORT else "")
        raise PatternError(
            f"{source}: got an array of {text} values, accepted: at most {largest} to be read as a whole; bin it, or "
            "choose one of its patterns; scans are for pacbed map"
        )


def load_array(values: Any, source: str) -> np.ndarray:
    """Read an array of a file as a whole, once its declared type and shape are seen to be those of a pattern.

    Parameters
    ----------
    values : array-like
        What has `shape` and `dtype` and reads when it is sliced: memory map, HDF5 or Zarr data set, dask array.
    source : str
        For the error.

    Raises
    ------
    PatternError
        It is too large, or holds no numbers.
    """
    dtype = np.dtype(values.dtype)
    if dtype.hasobject or (dtype.kind not in "iuf" and not dtype.names):
        raise PatternError(f"{source}: got values of type {dtype}, accepted: real numbers")
    check_size((*values.shape, len(dtype.names)) if dtype.names else values.shape, source)
    try:
        return np.array(values[...])
    except MemoryError:
        raise no_memory(source) from None


def check_declared(path: str | Path) -> None:
    """Look at what pictures and archives of NumPy say of their size: their readers decode first.

    Parameters
    ----------
    path : path
        PNG, JPEG, GIF, BMP, TIFF, BLO or NPZ, known by its first bytes; anything else is let through.

    Raises
    ------
    PatternError
        A picture, or an array of the archive, is too large.
    """
    file = Path(path)
    if not file.is_file():
        return
    with file.open("rb") as start:
        header = start.read(BLO_HEADER)
    magic = header[:4]
    if magic.startswith(PICTURE_MAGIC):
        import imageio.v3 as iio  # slow to import, and only pictures need it

        check_size(iio.improps(file, plugin="pillow").shape, file.name)
    elif magic in TIFF_MAGIC:
        import tifffile

        with tifffile.TiffFile(file) as tiff:
            for series in series_of(tiff, file.name):  # one page at a time is decoded, and all of a series are alike
                check_size(series.keyframe.shape, file.name)
                _check_packed(series.keyframe, file.name)
    elif magic == BLO_MAGIC or file.suffix.lower() == ".blo":  # which are read as such whatever they begin with
        _check_blo(header, file)
    elif magic == ZIP_MAGIC:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".npy"):
                    shape = _npy_shape(archive, member)
                    check_size(shape, f"{file.name}, {member.filename}", largest=LARGEST_ARCHIVED)


def _check_blo(header: bytes, file: Path) -> None:
    """Refuse a scan of more patterns, a byte a pixel, than the file has bytes: its reader would divide it for ever."""
    if len(header) < BLO_HEADER:
        raise PatternError(f"{file.name}: got a header of {len(header)} bytes, accepted: a whole BLO file")
    sizes = [struct.unpack(order + BLO_SIZES, header) for order in "<>"]
    # Six bytes stand before each pattern.
    if all((edge**2 + 6) * columns * rows > file.stat().st_size for edge, _, columns, rows in sizes):
        told = "a header of more patterns than the file holds"
        raise PatternError(f"{file.name}: got {told}, accepted: a whole BLO file")


def _check_packed(page: Any, source: str) -> None:
    """Refuse a page whose packed bytes are more than its pixels: unpacked, they may be a thousand times as many."""
    packed = sum(page.databytecounts)
    if page.compression != UNCOMPRESSED and packed > SLACK * page.nbytes + SLACK_BYTES:
        raise PatternError(
            f"{source}: got {packed} packed bytes of a page of {page.nbytes}, accepted: no more packed than unpacked"
        )


def _npy_shape(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[int, ...]:
    from numpy.lib import format as npy

    with archive.open(member) as content:
        version = npy.read_magic(content)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        return header(content)[0]


def no_memory(source: str) -> PatternError:
    """The error for a file that does not fit into the memory there is."""
    return PatternError(f"{source}: does not fit into memory, accepted: a smaller file; bin it, or choose a part")
