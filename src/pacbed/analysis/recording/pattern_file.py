"""Reads one recorded pattern from any file a microscope or an image program writes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.formats.opening import open_images, readable
from pacbed.analysis.recording.formats.quiet import quiet
from pacbed.analysis.recording.guard.sizes import check_size
from pacbed.analysis.recording.layout import Layout, check_scan_shape, find_layout
from pacbed.analysis.recording.marks import marked
from pacbed.analysis.recording.metadata import NOTHING_STATED, Calibration, read_calibration
from pacbed.analysis.recording.stored import SMALLEST_PIXELS, StoredImage, choose_image, could_be_pattern, sizes
from pacbed.errors import PatternError, bad_value

LARGEST_BAD_FRACTION = 0.5
LARGEST_COUNT = 1e15  # sums of squares must fit into 32 bits
SEVERAL = "--frame picks one of them"  # said of what may be a scan


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
        Hash of the file; of the array's bytes where it comes from elsewhere, or is a frame picked of many: what else a
        scan of tens of GB holds is not read for it.
    saturated : bool array, shape (y, x), or None
        Pixels known to be saturated from what the pattern was averaged of.
    """

    array: np.ndarray
    calibration: Calibration = NOTHING_STATED
    source: str = "array"
    sha256: str = ""
    saturated: np.ndarray | None = None


def read_pattern(
    path: str | Path,
    *,
    dataset: str | None = None,
    frame: Sequence[int] | None = None,
    scan_shape: tuple[int, int] | None = None,
) -> Pattern:
    """Read a pattern from any file that `open_images` opens.

    Parameters
    ----------
    path : path
        A file, or the folder of a Zarr store.
    dataset : str, optional
        Which array of a file that holds several: its path inside the file, its title, or its number from 0.
    frame : sequence of int, optional
        Which pattern of a scan or series: its number from 0, or row and column.
    scan_shape : tuple of int, optional
        Rows and columns of the scan, where the file contradicts itself or holds one long series.

    Raises
    ------
    PatternError, ParameterError
        The file cannot be read, or does not hold one usable two-dimensional pattern.
    """
    file = Path(path)
    array, stated = read_image(file, dataset=dataset, frame=frame, scan_shape=scan_shape)
    pattern = pattern_from_array(array, source=file.name)
    whole = frame is None and file.is_file()
    return replace(pattern, calibration=stated, sha256=file_sha256(file) if whole else pattern.sha256)


def read_image(
    file: Path,
    *,
    dataset: str | None = None,
    frame: Sequence[int] | None = None,
    scan_shape: tuple[int, int] | None = None,
) -> tuple[np.ndarray, Calibration]:
    """One image of a file as it is stored, shape (y, x), and what the file states of it; arguments of `read_pattern`.

    Raises
    ------
    PatternError, ParameterError
        The file cannot be read, or does not hold one image.
    """
    with open_images(file) as images:
        image = choose_image(str(file), dataset, [one for one in images if could_be_pattern(one)] or images)
        layout = find_layout(image, str(file), scan_shape=scan_shape, framed=frame is not None)
        where = _frame_index(image, layout, file, frame, scan_shape)
        check_size([image.shape[axis] for axis in layout.pattern], file.name)
        with readable(file), quiet():
            array = np.asarray(image.values[where])
        if layout.pattern != tuple(sorted(layout.pattern)):  # stored with x in front
            array = array.T
    axes = [image.described_axes()[axis] for axis in layout.pattern]
    return _without_bad(array, image.bad), read_calibration(axes, image.metadata, image.original)


def file_sha256(file: Path) -> str:
    """Hash of a file, read piece by piece."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _frame_index(
    image: StoredImage,
    layout: Layout,
    file: Path,
    frame: Sequence[int] | None,
    scan_shape: tuple[int, int] | None,
) -> tuple[Any, ...]:
    """Index of one pattern among all axes of an array.

    Raises
    ------
    PatternError
        Several patterns, and none chosen; or one chosen that is not there.
    """
    stored = tuple(image.shape[axis] for axis in layout.scan)
    check_scan_shape(stored, scan_shape)
    count = prod(stored)
    if frame is None:
        if count > 1:
            raise PatternError(
                f"pattern: {file} holds {count} patterns ({sizes(image.shape)}), accepted: one; "
                f"{SEVERAL}, pacbed map takes a whole scan"
            )
        place: tuple[int, ...] = (0,) * len(stored)
    else:
        place = _place(tuple(frame), stored, scan_shape)
    index: list[Any] = [slice(None)] * len(image.shape)
    for axis, number in zip(layout.scan, place, strict=True):
        index[axis] = number
    return tuple(index)


def _place(frame: tuple[int, ...], stored: tuple[int, ...], scan_shape: tuple[int, int] | None) -> tuple[int, ...]:
    """Position along the stored scan axes of a frame given by its number, or by row and column."""
    shapes = [(prod(stored),), stored, tuple(length for length in stored if length > 1)]
    if scan_shape is not None and prod(scan_shape) == prod(stored):
        shapes.insert(1, tuple(scan_shape))
    for shape in shapes:
        if len(frame) == len(shape):
            if all(0 <= number < length for number, length in zip(frame, shape, strict=True)):
                number = int(np.ravel_multi_index(frame, shape)) if shape else 0
                return tuple(int(one) for one in np.unravel_index(number, stored)) if stored else ()
            break
    largest = " or ".join(dict.fromkeys(",".join(str(length - 1) for length in shape) for shape in shapes if shape))
    raise bad_value("frame", ",".join(map(str, frame)), f"whole numbers from 0 to {largest or '0'}")


def _without_bad(array: np.ndarray, bad: np.ndarray | None) -> np.ndarray:
    return array if bad is None else np.where(bad, np.float32(np.nan), array.astype(np.float32))


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
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return Pattern(_finite_float(array, source), source=source, sha256=digest)


def _finite_float(array: np.ndarray, source: str) -> np.ndarray:
    with np.errstate(over="ignore"):  # what single precision cannot hold has no finite value
        values = array.astype(np.float32)
    if (lost := marked(array)) is not None:
        values[lost] = np.nan
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
    if values[good].min() == values[good].max():
        raise PatternError(f"{source}: got the value {values[good][0]:g} in every pixel, accepted: a pattern")
    return values
