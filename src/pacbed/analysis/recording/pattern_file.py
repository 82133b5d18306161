"""Reads one recorded pattern from any file a microscope or an image program writes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.containers import (
    HDF5,
    PICTURES,
    TIFF,
    Recorded,
    choose_dataset,
    hdf5_names,
    microscope_image,
    one_line,
)
from pacbed.analysis.recording.guard.sizes import load_array, no_memory
from pacbed.analysis.recording.guard.untrusted import check_untrusted
from pacbed.analysis.recording.metadata import NOTHING_STATED, Calibration, image_calibration
from pacbed.errors import PatternError

SMALLEST_PIXELS = 32  # fewer along an edge cannot show the fringes inside a disk
LARGEST_BAD_FRACTION = 0.01
LARGEST_COUNT = 1e15  # sums of squares must fit into 32 bits
GREY_TOLERANCE = 8  # JPEG rounds the three channels of a grey picture apart by a few counts


@dataclass(frozen=True)
class Pattern:
    """One recorded pattern.

    Attributes
    ----------
    array : float32 array, shape (y, x)
        Counts, row 0 on top; not finite where the detector gave no value.
    calibration : Calibration
        What the file states.
    source : str
        File name, or "array".
    sha256 : str
        Hash of the file, or of the array's bytes.
    saturated_fraction : float
        Share of pixels at the largest value an integer file can hold.
    """

    array: np.ndarray
    calibration: Calibration = NOTHING_STATED
    source: str = "array"
    sha256: str = ""
    saturated_fraction: float = 0.0


def read_pattern(path: str | Path, *, dataset: str | None = None) -> Pattern:
    """Read a pattern from TIFF, PNG, JPEG, NPY, HDF5 or any format of RosettaSciIO (DM3, DM4, EMD, HSPY, MRC, ...).

    Parameters
    ----------
    path : path
        The file.
    dataset : str, optional
        Which data set of a file that holds several: its path inside an HDF5 file, its title, or its number from 0.

    Raises
    ------
    PatternError
        When the file cannot be read, or does not hold one usable two-dimensional pattern.
    """
    file = Path(path)
    if not file.is_file():
        raise PatternError(f"pattern: got {str(file)!r}, accepted: a file that exists")
    try:
        check_untrusted(file)
        recorded = _reader(file)(file, dataset)
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    except PatternError:
        raise
    except MemoryError:
        raise no_memory(str(file)) from None
    except Exception as error:  # thirty readers of damaged files raise anything
        raise PatternError(f"pattern: {file} cannot be read ({one_line(error)})") from error
    pattern = pattern_from_array(recorded.data, source=file.name)
    return replace(pattern, calibration=recorded.calibration, sha256=sha256)


def pattern_from_array(data: Any, *, source: str = "array") -> Pattern:
    """Check an array, shape (y, x) [counts], and wrap it; axes of length one are dropped.

    Raises
    ------
    PatternError
        Naming shape or values got, and what is accepted.
    """
    array = np.asarray(data)
    if array.dtype == bool or array.dtype.kind not in "iuf":
        raise PatternError(f"{source}: got values of type {array.dtype}, accepted: real numbers")
    shape = array.shape
    array = array.squeeze()
    if array.ndim != 2:
        raise PatternError(
            f"{source}: got an array of shape {shape}, accepted: one pattern with two axes (y, x); "
            "average a scan over its positions first"
        )
    if min(array.shape) < SMALLEST_PIXELS:
        raise PatternError(f"{source}: got {array.shape} pixels, accepted: at least {SMALLEST_PIXELS} along each edge")
    saturated = float(np.mean(array == np.iinfo(array.dtype).max)) if array.dtype.kind in "iu" else 0.0
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return Pattern(_finite_float(array, source), source=source, sha256=digest, saturated_fraction=saturated)


def _finite_float(array: np.ndarray, source: str) -> np.ndarray:
    values = array.astype(np.float32)
    good = np.isfinite(values)
    if 1 - good.mean() > LARGEST_BAD_FRACTION:
        raise PatternError(
            f"{source}: got {100 * (1 - good.mean()):.1f} % of the pixels without a finite value, "
            f"accepted: at most {100 * LARGEST_BAD_FRACTION:g} %"
        )
    if np.abs(values[good]).max() > LARGEST_COUNT:
        raise PatternError(
            f"{source}: got values up to {np.abs(values[good]).max():.3g}, accepted: counts up to {LARGEST_COUNT:g}"
        )
    if np.ptp(values[good]) <= 0:
        raise PatternError(f"{source}: got the value {values[good][0]:g} in every pixel, accepted: a pattern")
    return values


Reader = Callable[[Path, str | None], Recorded]


def _reader(file: Path) -> Reader:
    suffix = file.suffix.lower()
    if suffix == ".npy":
        return _read_npy
    if suffix in PICTURES:
        return _read_picture
    if suffix in HDF5:
        return _read_hdf5
    return _read_microscope_file


def _read_npy(file: Path, dataset: str | None) -> Recorded:
    return Recorded(load_array(np.load(file, mmap_mode="r", allow_pickle=False), file.name))


def _read_picture(file: Path, dataset: str | None) -> Recorded:
    import imageio.v3 as iio  # slow to import, and only pictures need it

    return Recorded(_grey(np.asarray(iio.imread(file.read_bytes(), extension=file.suffix.lower())), file))


def _grey(image: np.ndarray, file: Path) -> np.ndarray:
    """Grey levels, shape (y, x), of a picture of shape (y, x, channel)."""
    if image.ndim != 3 or image.shape[-1] not in (2, 3, 4):
        return image
    colours = image[..., :1] if image.shape[-1] == 2 else image[..., :3]
    if np.ptp(colours.astype(float), axis=-1).max() > GREY_TOLERANCE:
        raise PatternError(
            f"pattern: got a coloured picture in {file}, accepted: grey levels (a colour map hides counts)"
        )
    return colours.astype(np.float32).mean(axis=-1) if colours.shape[-1] == 3 else colours[..., 0]


def _read_hdf5(file: Path, dataset: str | None) -> Recorded:
    import h5py

    if not h5py.is_hdf5(file):
        raise PatternError(f"pattern: {file} is not an HDF5 file")
    with h5py.File(file, "r") as store:
        if "file_format" in store.attrs and "HyperSpy" in str(store.attrs["file_format"]):
            return _read_microscope_file(file, dataset)
        return Recorded(load_array(store[choose_dataset(file, dataset, hdf5_names(store, axes=2))], file.name))


def _read_microscope_file(file: Path, dataset: str | None) -> Recorded:
    lazy = file.suffix.lower() not in TIFF  # whose lazy reader leaves the file open; its pages have been looked at
    try:
        image = microscope_image(file, dataset, axes=2, lazy=lazy)
    except NotImplementedError:  # some formats are read as a whole or not at all
        image = microscope_image(file, dataset, axes=2, lazy=False)
    data = load_array(image["data"], file.name)
    if data.dtype.names:  # RosettaSciIO reads RGB as a structured array
        data = np.stack([data[name] for name in data.dtype.names], axis=-1)
    return Recorded(_grey(data, file), image_calibration(image, image["axes"]))
