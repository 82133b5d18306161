"""An array as it travels: checked, of a plain kind of number, and no larger than a look-up needs."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np

from pacbed_client.errors import bad_value

MOST_PIXELS = 512  # along an edge: 4096 x 4096 pixels cost the service 3.3 CPU s, 512 x 512 0.06 (measured)
SATURATED = 16  # pixels at the highest value, from which on the service takes it for the detector's ceiling


class Prepared(NamedTuple):
    """A pattern ready to be sent.

    Attributes
    ----------
    array : array, shape (y, x)
        Counts: contiguous, little-endian, integers of 8 to 64 bits or floats of 32 or 64.
    binning : int
        Pixels of the given array along an edge of a pixel of this one.
    note : str
        What was done, for the user; empty where nothing was.
    """

    array: np.ndarray
    binning: int = 1
    note: str = ""

    def npy(self) -> bytes:
        """The array as the content of an NPY file."""
        stream = io.BytesIO()
        np.save(stream, self.array, allow_pickle=False)
        return stream.getvalue()


def prepare(array: object, most_pixels: int = MOST_PIXELS) -> Prepared:
    """Check a pattern and bin it where it is larger than needed.

    Counts of binned pixels are added, which keeps their statistics; rows and columns at the end that fill no whole
    pixel are left out. A picture that may be saturated is not binned: the sum of a cut-off count and a good one looks
    like a good one, and the service could not set it aside any more.

    Parameters
    ----------
    array : array-like, shape (y, x)
        Counts, real and finite.
    most_pixels : int
        Pixels along the longer edge.

    Raises
    ------
    InputError
        It is no pattern: another number of axes, complex, NaN, masked.
    """
    given = _checked(array)
    binning = -(-max(given.shape) // most_pixels)
    if binning == 1:
        return Prepared(_plain(given))
    peak = int(np.count_nonzero(given == given.max()))
    if peak >= SATURATED:
        text = f"not binned, because {peak} pixels share the highest value and may be saturated"
        return Prepared(_plain(given), 1, text)
    binned = _plain(_sums(given, binning))
    before, after = (f"{rows} x {columns}" for rows, columns in (given.shape, binned.shape))
    return Prepared(binned, binning, f"binned {binning} x {binning}: from {before} to {after} pixels")


def _checked(array: object) -> np.ndarray:
    """The same as an array that is a pattern."""
    if np.ma.is_masked(array):
        raise bad_value("pattern", "a masked array", "counts in every pixel; fill in what is masked")
    found = np.asarray(array)
    if found.ndim != 2 or not found.size:
        raise bad_value("pattern", f"an array of shape {found.shape}", "one pattern with axes (y, x)")
    if found.dtype.kind not in "iuf":
        raise bad_value("pattern", f"an array of {found.dtype}", "integers or floats")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        count = int(found.size - np.count_nonzero(np.isfinite(found)))
        raise bad_value("pattern", f"{count} pixels that are NaN or infinite", "a count in every pixel")
    return found


def _sums(array: np.ndarray, binning: int) -> np.ndarray:
    """Sums of square blocks, in numbers that hold them."""
    rows, columns = (length // binning for length in array.shape)
    blocks = array[: rows * binning, : columns * binning].reshape(rows, binning, columns, binning)
    if array.dtype.kind == "f":
        return np.asarray(blocks.sum(axis=(1, 3), dtype=np.float64))
    total = blocks.sum(axis=(1, 3), dtype=np.int64 if array.dtype.kind == "i" else np.uint64)
    wide = np.dtype("i4" if array.dtype.kind == "i" else "u4")
    fits = np.iinfo(wide).min <= total.min() and total.max() <= np.iinfo(wide).max
    return np.asarray(total.astype(wide) if fits else total)


def _plain(array: np.ndarray) -> np.ndarray:
    """The same numbers contiguous and little-endian; floats of other sizes as the nearest common one."""
    size = array.dtype.itemsize
    if array.dtype.kind == "f":
        size = 4 if size <= 4 else 8
    return np.ascontiguousarray(array, dtype=np.dtype(f"<{array.dtype.kind}{size}"))
