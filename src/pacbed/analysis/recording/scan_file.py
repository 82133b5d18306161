"""Opens 4D-STEM data (a pattern per scan position) without loading it: only the window in hand is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.formats.opening import open_images, readable
from pacbed.analysis.recording.layout import Layout, check_scan_shape, find_layout
from pacbed.analysis.recording.marks import marked
from pacbed.analysis.recording.metadata import NOTHING_STATED, Calibration, read_calibration, read_step
from pacbed.analysis.recording.stored import (
    SMALLEST_PIXELS,
    StoredImage,
    choose_image,
    could_be_pattern,
    sizes,
)
from pacbed.errors import PatternError, bad_value


@dataclass(frozen=True)
class ScanData:
    """An open 4D-STEM data set.

    Attributes
    ----------
    values : array-like, three or four axes longer than one
        Anything that reads a part when it is sliced: memory map, HDF5 or Zarr data set, dask array.
    source : str
        File name.
    calibration : Calibration
        What the file states.
    layout : Layout or None
        Which axes are scan and which pattern; by default the last two are the pattern.
    rows : int or None
        Rows of the scan, for a series of frames; by default it is a line, of one row.
    bad : bool array of the pattern's shape, or None
        Pixels that the detector itself calls bad.
    step_nm : float or None
        Distance of neighbouring scan positions, where the file states one for both directions [nm].
    """

    values: Any
    source: str
    calibration: Calibration = NOTHING_STATED
    layout: Layout | None = None
    rows: int | None = None
    bad: np.ndarray | None = None
    step_nm: float | None = None

    def __post_init__(self) -> None:
        shape, kind = tuple(self.values.shape), np.dtype(self.values.dtype).kind
        if kind not in "iuf":
            raise PatternError(f"{self.source}: got values of type {self.values.dtype}, accepted: real numbers")
        if len(shape) >= 2 and self.layout is None:
            object.__setattr__(self, "layout", Layout(tuple(range(len(shape) - 2)), (len(shape) - 2, len(shape) - 1)))
        if (
            self.layout is None
            or len(self._scan_axes()) > 2
            or len(shape) < 3
            or self._pattern_edge() < SMALLEST_PIXELS
            or prod(shape) == 0
        ):
            raise PatternError(
                f"{self.source}: got an array of shape {shape}, accepted: (scan y, scan x, y, x) or (scan, y, x) with "
                f"patterns of at least {SMALLEST_PIXELS} pixels along each edge"
            )

    def _axes(self) -> Layout:
        assert self.layout is not None  # set on creation
        return self.layout

    def _pattern_edge(self) -> int:
        return min(self.pattern_shape)

    def _scan_axes(self) -> tuple[int, ...]:
        """Scan axes that count: of more than two, those longer than one."""
        scan = self._axes().scan
        return scan if len(scan) <= 2 else tuple(axis for axis in scan if self.values.shape[axis] > 1)

    @property
    def scan_shape(self) -> tuple[int, int]:
        """Scan positions (y, x); a line has one row."""
        lengths = [int(self.values.shape[axis]) for axis in self._scan_axes()]
        if self.rows is not None:
            return self.rows, prod(lengths) // self.rows
        if len(lengths) == 2:
            return lengths[0], lengths[1]
        return 1, prod(lengths)

    @property
    def pattern_shape(self) -> tuple[int, int]:
        """Pixels (y, x) of a pattern."""
        y, x = (int(self.values.shape[axis]) for axis in self._axes().pattern)
        return y, x

    @property
    def is_series(self) -> bool:
        """Patterns one after the other, of which nobody says how they lie in a scan."""
        return self.rows is None and len(self._scan_axes()) == 1

    def windows(self, window: int) -> tuple[int, int]:
        """Rows and columns of a map whose pixels each cover `window` x `window` positions; the last may cover fewer."""
        if window < 1:
            raise bad_value("window", window, "a whole number of scan positions, 1 or more")
        rows, columns = self.scan_shape
        return -(-rows // window), -(-columns // window)

    def blocks(self, row: int, column: int, window: int) -> Iterator[np.ndarray]:
        """Patterns of one window, a row of scan positions at a time: a window may be most of a scan that fits nowhere.

        Parameters
        ----------
        row, column : int
            Of the map, see `windows`.
        window : int
            Scan positions along the edge of a window.

        Yields
        ------
        array, shape (position, y, x)
            Counts, as they were recorded.

        Raises
        ------
        PatternError
            This part of the file is damaged.
        """
        rows, columns = self.scan_shape
        across = slice(column * window, min((column + 1) * window, columns))
        for y in range(row * window, min((row + 1) * window, rows)):
            yield self.line(y, across)

    def line(self, row: int, across: slice) -> np.ndarray:
        """Patterns of a part of one row of scan positions.

        Parameters
        ----------
        row : int
            Of the scan.
        across : slice
            Its columns.

        Returns
        -------
        array, shape (position, y, x)
            Counts, as they were recorded.

        Raises
        ------
        PatternError
            This part of the file is damaged.
        """
        with readable(Path(self.source)):
            return self._line(row, across)

    def mean(self, row: int, column: int, window: int) -> np.ndarray:
        """Mean pattern of one window, see `blocks`; float32, shape (y, x) [counts], NaN where the detector says so."""
        total: np.ndarray | float = 0.0
        count = 0
        for block in self.blocks(row, column, window):
            total = total + block.sum(axis=0, dtype=np.float64)
            count += len(block)
        return self.without_bad(np.asarray(total / count))

    def without_bad(self, pattern: np.ndarray) -> np.ndarray:
        """A pattern as float32, NaN where the detector calls a pixel bad or marks it as one without a value."""
        with np.errstate(over="ignore", invalid="ignore"):  # what single precision cannot hold has no finite value
            values = np.array(pattern, dtype=np.float32)
        for lost in (self.bad, marked(pattern)):
            if lost is not None:
                values[lost] = np.nan
        return values

    def _line(self, row: int, across: slice) -> np.ndarray:
        scan, layout = self._scan_axes(), self._axes()
        key: list[Any] = [slice(None)] * len(self.values.shape)
        if self.rows is None and len(scan) == 2:
            key[scan[0]], key[scan[1]] = slice(row, row + 1), across
        else:  # one axis for the positions of all rows
            axis = max(scan or layout.scan, key=lambda one: int(self.values.shape[one]))
            first = row * self.scan_shape[1]
            key[axis] = slice(first + across.start, first + across.stop)
        ordered = np.asarray(self.values[tuple(key)]).transpose(*layout.scan, *layout.pattern)
        return ordered.reshape(-1, *ordered.shape[-2:])


@contextmanager
def open_scan(
    path: str | Path, *, dataset: str | None = None, scan_shape: tuple[int, int] | None = None
) -> Iterator[ScanData]:
    """Open 4D-STEM data in any file that `open_images` opens.

    Parameters
    ----------
    path : path
        A file, or the folder of a Zarr store.
    dataset : str, optional
        Which array of a file that holds several: its path inside the file, its title, or its number from 0.
    scan_shape : tuple of int, optional
        Rows and columns of the scan, where the file holds one long series of frames or contradicts itself.

    Raises
    ------
    PatternError, ParameterError
        The file cannot be read, or does not hold patterns over scan positions.
    """
    file = Path(path)
    with open_images(file) as images:
        scans = [one for one in images if could_be_pattern(one) and len(one.shape) >= 3]
        image = choose_image(str(file), dataset, scans or images)
        if len(image.shape) < 3:
            raise PatternError(
                f"dataset: {file} holds one pattern ({sizes(image.shape)}), accepted: a pattern for each scan "
                "position; pacbed predict takes one pattern"
            )
        layout = find_layout(image, str(file), scan_shape=scan_shape)
        axes = [image.described_axes()[axis] for axis in layout.pattern]
        stated = read_calibration(axes, image.metadata, image.original)
        rows = _rows(image, layout, scan_shape)
        step_nm = read_step([image.described_axes()[axis] for axis in layout.scan if image.shape[axis] > 1])
        yield ScanData(image.values, file.name, stated, layout, rows, image.bad, step_nm)


def _rows(image: StoredImage, layout: Layout, scan_shape: tuple[int, int] | None) -> int | None:
    """Rows of a series that a scan shape divides into lines; None where the array has rows of its own.

    Raises
    ------
    ParameterError
        The scan shape does not fit the array.
    """
    stored = [image.shape[axis] for axis in layout.scan]
    check_scan_shape(stored, scan_shape)
    if scan_shape is None or list(scan_shape) == stored:
        return None
    return scan_shape[0] if sum(length > 1 for length in stored) <= 1 else None
