"""What a reader finds in a file: arrays with their axes and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any, NamedTuple

import numpy as np

from pacbed.errors import PatternError

NO_IMAGE = "holds no image"
SMALLEST_PIXELS = 32  # fewer along an edge cannot show the fringes inside a disk
LONGEST_LIST = 2**22  # of the places along an axis, which a file of a kilobyte may declare by the billion
NAMES_SHOWN = 12  # of the arrays that an error lists


class Axis(NamedTuple):
    """One axis of a stored array, as far as the file describes it.

    Attributes
    ----------
    name, unit : str
        Empty where the file is silent.
    scale : float or None
        Step from element to element, in that unit.
    scan : bool or None
        The file calls it an axis over scan positions (True) or over the pixels of a pattern (False).
    """

    name: str = ""
    unit: object = ""
    scale: float | None = None
    scan: bool | None = None


def listed_axis(name: str, unit: object, places: Any, scan: bool | None = None) -> Axis:
    """An axis of which a file lists every element; its scale is NaN where the steps differ.

    Of a longer list than `LONGEST_LIST`, only both ends are read.

    Parameters
    ----------
    name, unit, scan
        As in `Axis`.
    places : array-like, shape (element,)
        Where each element lies, in that unit; it may be in a file.
    """
    count = np.shape(places)[0]
    if count > LONGEST_LIST:
        return Axis(name, unit, float(places[-1] - places[0]) / (count - 1), scan)
    steps = np.diff(np.asarray(places[:], dtype=float))
    uniform = len(steps) > 0 and np.allclose(steps, steps.mean(), rtol=1e-3, atol=0)
    return Axis(name, unit, float(steps.mean()) if uniform else nan, scan)


def check_list(values: Any, source: str) -> None:
    """Refuse a list beside an image, such as an axis, that would fill the memory of a reader that takes it whole.

    Parameters
    ----------
    values : array-like
        What has `size`; anything else is let through.
    source : str
        For the error.

    Raises
    ------
    PatternError
    """
    size = getattr(values, "size", None)
    if size is not None and size > LONGEST_LIST:
        raise PatternError(f"{source}: got a list of {size} values, accepted: at most {LONGEST_LIST}")


def order_by_name(first: Axis, second: Axis) -> str:
    """Order of two axes with names that differ in their last letter only: "yx", "xy", or "" where they tell none."""
    names = first.name.lower(), second.name.lower()
    ends = "".join(name[-1:] for name in names)
    return ends if ends in ("yx", "xy") and names[0][:-1] == names[1][:-1] else ""


@dataclass(frozen=True)
class StoredImage:
    """An array in a file, not yet read where its format allows that.

    Attributes
    ----------
    values : array-like
        Anything with shape and dtype that reads a part when it is indexed: memory map, HDF5 or Zarr array, dask array.
    axes : tuple of Axis
        One for each axis of the array.
    path, title : str
        Where it lies in the file, and what it is called; empty where there is no such thing.
    metadata, original : mapping
        In HyperSpy's layout, and as the microscope wrote it.
    bad : bool array of the pattern's shape, or None
        Pixels that the detector itself calls bad.
    unsure : str
        Why the order of its axes does not tell scan from pattern where nothing else does, after "whose"; else empty.
    preferred : bool
        The file itself says that this one of its arrays is to be shown.
    """

    values: Any
    axes: tuple[Axis, ...] = ()
    path: str = ""
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    original: Mapping[str, Any] = field(default_factory=dict)
    bad: np.ndarray | None = None
    unsure: str = ""
    preferred: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(int(length) for length in self.values.shape)

    def described_axes(self) -> tuple[Axis, ...]:
        """The axes; blank ones where the file describes none, or another number of them."""
        return self.axes if len(self.axes) == len(self.shape) else (Axis(),) * len(self.shape)


def could_be_pattern(image: StoredImage) -> bool:
    """Whether an array of real numbers has two axes long enough for a pattern."""
    return np.dtype(image.values.dtype).kind in "iuf" and sum(n >= SMALLEST_PIXELS for n in image.shape) >= 2


def choose_image(source: str, dataset: str | None, images: Sequence[StoredImage]) -> StoredImage:
    """The one array meant, by the user or else by the file; several without a choice are an error that lists them.

    Parameters
    ----------
    source : str
        File, for the error.
    dataset : str or None
        Path inside the file, title, or number from 0.
    images : sequence of StoredImage
        What the file holds.

    Raises
    ------
    PatternError
        None is meant, or several are.
    """
    if not images:
        raise PatternError(
            f"file: {source} {NO_IMAGE}, accepted: an array of real numbers with at least {SMALLEST_PIXELS} pixels "
            "along two axes"
        )
    names = _names(images)
    listed = ", ".join(f"{n} ({sizes(one.shape)})" for n, one in zip(names[:NAMES_SHOWN], images, strict=False))
    accepted = f"one of {listed}" + (f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else "")
    if dataset is None:
        if len(images) > 1 and len(chosen := [one for one in images if one.preferred]) == 1:
            return chosen[0]
        if len(images) > 1:
            raise PatternError(f"dataset: got none for {source}, accepted: {accepted}")
        return images[0]
    meant = [one for number, one in enumerate(images) if _is_called(one, number, dataset)]
    if len(meant) != 1:
        how = "several" if meant else "nothing"
        raise PatternError(f"dataset: got {dataset!r}, which means {how} in {source}, accepted: {accepted}")
    return meant[0]


def sizes(shape: Sequence[int]) -> str:
    """Lengths of axes for a reader: ``33 x 34 x 64 x 64``."""
    return " x ".join(str(length) for length in shape)


def _names(images: Sequence[StoredImage]) -> list[str]:
    """A name for each that means this one alone: title, else path, else number."""
    titles = [one.title for one in images]
    return [
        one.title if one.title and titles.count(one.title) == 1 else one.path or str(number)
        for number, one in enumerate(images)
    ]


def _is_called(image: StoredImage, number: int, name: str) -> bool:
    path = image.path.strip("/")  # the array's, or that of the group around it
    group, _, last = path.rpartition("/")
    if path and name.strip("/") in (path, group if last.lower() == "data" else path):
        return True
    return name == image.title or (name.isdecimal() and int(name) == number)
