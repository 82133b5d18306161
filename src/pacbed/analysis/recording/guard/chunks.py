"""Chunks of HDF5 and Zarr, which are unpacked as a whole for any value in them: small files unpack to gigabytes."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from pacbed.analysis.recording.guard.references import stores_reached
from pacbed.errors import PatternError

LARGEST_CHUNK = 2**30  # bytes


def check_hdf5_chunks(path: str | Path) -> None:
    """Look at the chunks of all arrays of an HDF5 file and those it reaches; anything else is let through.

    Parameters
    ----------
    path : path

    Raises
    ------
    PatternError
        As `check_chunks`.
    """
    import h5py

    file = Path(path)
    if not file.is_file() or not h5py.is_hdf5(file):
        return
    for store in stores_reached(file):
        store.visititems(lambda name, item: _check_packed(item, f"{file}, {name}"))


def _check_packed(item: Any, source: str) -> None:
    """What is not packed, the library reads in parts."""
    if getattr(item, "chunks", None) is not None and item.id.get_create_plist().get_nfilters():
        check_chunks(item, source, f"; {repacking(item)}")


def repacking(item: Any) -> str:
    """How a user gets a file in which each chunk of an HDF5 data set is one pattern, for errors."""
    lead = max(item.ndim - 2, 0)
    small = "x".join(str(length) for length in (*[1] * lead, *item.shape[lead:]))
    return f"h5repack -l {item.name[1:]}:CHUNK={small} writes such a file"


def check_chunks(values: Any, source: str, remedy: str = "") -> None:
    """Refuse an array whose chunks are too large to be unpacked for one pattern.

    Parameters
    ----------
    values : array-like
        What has `shape`, `dtype` and, by axis, `chunks`.
    source, remedy : str
        For the error.

    Raises
    ------
    PatternError
    """
    size = prod(values.chunks) * values.dtype.itemsize
    if size > LARGEST_CHUNK:
        raise PatternError(
            f"{source}: got chunks of {size / 2**30:.1f} GiB, each unpacked as a whole, accepted: chunks of at most "
            f"{LARGEST_CHUNK / 2**30:g} GiB, best of one pattern{remedy}"
        )
