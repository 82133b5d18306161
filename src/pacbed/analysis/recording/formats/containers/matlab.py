"""MAT files of MATLAB, which stores columns first: HDF5 since version 7.3, and older ones, which SciPy reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.guard.sizes import LARGEST_ARCHIVED, check_size
from pacbed.analysis.recording.stored import SMALLEST_PIXELS, Axis, StoredImage
from pacbed.errors import PatternError

NUMBERS = {"double": "f8", "single": "f4"} | {
    f"{u}int{8 * n}": f"{u or 'i'}{n}" for u in ("", "u") for n in (1, 2, 4, 8)
}
WRITTEN_BY = ("MATLAB_class", "OCTAVE_NEW_FORMAT")  # attributes of an array, and of the group around one


def columns_first(item: Any) -> bool:
    """Whether MATLAB or Octave wrote an HDF5 data set, of which the library sees all axes in reverse order."""
    return any(name in holder.attrs for name in WRITTEN_BY for holder in (item, item.parent))


def reversed_axes(shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """Axes of an array that is stored in reverse order: in each pair, x comes before y.

    Parameters
    ----------
    shape : tuple of int
        As stored.
    """
    names = [""] * len(shape)
    frames_last = len(shape) == 3 and min(shape[1:]) < SMALLEST_PIXELS
    for start in {0} if frames_last else {len(shape) - 2, len(shape) % 2}:
        names[start : start + 2] = ["x", "y"]
    return tuple(Axis(name) for name in names)


class _Member:
    """An array of an older MAT file, axes in reverse order as in version 7.3: read whole when it is first indexed."""

    def __init__(self, file: Path, name: str, shape: tuple[int, ...], kind: str) -> None:
        self._file, self._name = file, name
        self.shape, self.dtype = shape[::-1], np.dtype(NUMBERS[kind])

    @cached_property
    def _values(self) -> np.ndarray:
        from scipy.io import loadmat

        check_size(self.shape, f"{self._file.name}, {self._name}", largest=LARGEST_ARCHIVED)
        values = loadmat(self._file, variable_names=[self._name])[self._name]
        if values.dtype.kind not in "iuf":
            told = f"got values of type {values.dtype}, accepted: real numbers"
            raise PatternError(f"{self._file.name}, {self._name}: {told}")
        return np.asarray(values, self.dtype).T  # packed in a shorter type, where the values allow that

    def __getitem__(self, key: Any) -> np.ndarray:
        return np.asarray(self._values[key])


@contextmanager
def open_mat(file: Path) -> Iterator[list[StoredImage]]:
    """The arrays of numbers of a MAT file before version 7.3, by name; nothing else in it is read."""
    from scipy.io import whosmat

    yield [
        StoredImage(_Member(file, name, shape, kind), reversed_axes(shape[::-1]), path=name)
        for name, shape, kind in whosmat(file)
        if kind in NUMBERS and len(shape) >= 2
    ]
