"""Opens 4D-STEM data (a pattern per scan position) without loading it: only the window in hand is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.containers import (
    HDF5,
    PICTURES,
    choose_dataset,
    hdf5_names,
    microscope_image,
    one_line,
)
from pacbed.analysis.recording.guard.sizes import no_memory
from pacbed.analysis.recording.guard.untrusted import check_untrusted
from pacbed.analysis.recording.metadata import NOTHING_STATED, Calibration, image_calibration
from pacbed.analysis.recording.pattern_file import SMALLEST_PIXELS
from pacbed.errors import PatternError, bad_value


@dataclass(frozen=True)
class ScanData:
    """An open 4D-STEM data set.

    Attributes
    ----------
    values : array-like, shape (scan y, scan x, y, x), or (scan, y, x) for a line
        Anything that reads a part when it is sliced: memory map, HDF5 or Zarr data set, dask array.
    source : str
        File name.
    calibration : Calibration
        What the file states.
    """

    values: Any
    source: str
    calibration: Calibration = NOTHING_STATED

    def __post_init__(self) -> None:
        shape, kind = tuple(self.values.shape), np.dtype(self.values.dtype).kind
        if kind not in "iuf":
            raise PatternError(f"{self.source}: got values of type {self.values.dtype}, accepted: real numbers")
        if len(shape) not in (3, 4) or min(shape[-2:]) < SMALLEST_PIXELS:
            raise PatternError(
                f"{self.source}: got an array of shape {shape}, accepted: (scan y, scan x, y, x) or (scan, y, x) with "
                f"patterns of at least {SMALLEST_PIXELS} pixels along each edge"
            )

    @property
    def scan_shape(self) -> tuple[int, int]:
        """Scan positions (y, x); a line has one row."""
        return (1, self.values.shape[0]) if len(self.values.shape) == 3 else tuple(self.values.shape[:2])

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
        """
        rows, columns = self.scan_shape
        across = slice(column * window, min((column + 1) * window, columns))
        for y in range(row * window, min((row + 1) * window, rows)):
            block = self.values[across] if len(self.values.shape) == 3 else self.values[y, across]
            yield np.asarray(block)

    def mean(self, row: int, column: int, window: int) -> np.ndarray:
        """Mean pattern of one window, see `blocks`; float32, shape (y, x) [counts]."""
        total, count = np.zeros(self.values.shape[-2:]), 0
        for block in self.blocks(row, column, window):
            total += block.sum(axis=0, dtype=np.float64)
            count += len(block)
        return np.asarray(total / count, dtype=np.float32)


@contextmanager
def open_scan(path: str | Path, *, dataset: str | None = None) -> Iterator[ScanData]:
    """Open 4D-STEM data from NPY, HDF5, Zarr or any format of RosettaSciIO (DM4, MIB, EMD, HSPY, BLO, ...).

    Parameters
    ----------
    path : path
        A file, or the folder of a Zarr array.
    dataset : str, optional
        Which data set of a file that holds several: its path inside an HDF5 file or Zarr group, its title, or its
        number from 0.

    Raises
    ------
    PatternError
        When the file cannot be read, or does not hold patterns over scan positions.
    """
    file = Path(path)
    if not (file.is_file() or file.is_dir()):  # no pipe, which would wait for ever
        raise PatternError(f"dataset: got {str(file)!r}, accepted: a file that exists")
    with ExitStack() as stack:
        try:
            check_untrusted(file)
            data = stack.enter_context(_opener(file)(file, dataset))
        except PatternError:
            raise
        except MemoryError:
            raise no_memory(str(file)) from None
        except Exception as error:
            raise PatternError(f"dataset: {file} cannot be read ({one_line(error)})") from error
        yield data


Opener = Callable[[Path, str | None], AbstractContextManager[ScanData]]


def _opener(file: Path) -> Opener:
    suffix = file.suffix.lower()
    if suffix in PICTURES:
        raise PatternError(
            f"dataset: got the picture {file}, accepted: 4D-STEM data (.dm4 .mib .emd .hspy .h5 .zarr .npy)"
        )
    if suffix == ".npy":
        return _open_npy
    if suffix == ".zarr" or (suffix != ".zspy" and file.is_dir()):
        return _open_zarr
    return _open_hdf5 if suffix in HDF5 else _open_microscope_file


@contextmanager
def _open_npy(file: Path, dataset: str | None) -> Iterator[ScanData]:
    yield ScanData(np.load(file, mmap_mode="r", allow_pickle=False), file.name)


@contextmanager
def _open_zarr(file: Path, dataset: str | None) -> Iterator[ScanData]:
    import zarr

    node = zarr.open(str(file), mode="r", path=dataset or "")
    if isinstance(node, zarr.Group):
        names = [name for name, array in node.arrays() if array.ndim >= 3]
        node = node[choose_dataset(file, None, names)]
    yield ScanData(node, file.name)


@contextmanager
def _open_hdf5(file: Path, dataset: str | None) -> Iterator[ScanData]:
    import h5py

    with h5py.File(file, "r") as store:
        yield ScanData(store[choose_dataset(file, dataset, hdf5_names(store, axes=3))], file.name)


@contextmanager
def _open_microscope_file(file: Path, dataset: str | None) -> Iterator[ScanData]:
    image = microscope_image(file, dataset, axes=3, lazy=True)
    axes = sorted(image["axes"], key=lambda axis: axis.get("index_in_array", 0))
    yield ScanData(image["data"], file.name, image_calibration(image, axes[-2:]))
