"""Files that hold images: which reader opens which, and how one image of several is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pacbed.analysis.recording.metadata import NOTHING_STATED, Calibration
from pacbed.errors import PatternError

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif"}
TIFF = {".tif", ".tiff"}
HDF5 = {".h5", ".hdf5", ".hdf"}
NO_IMAGE = "holds no image"
NAMES_SHOWN = 12  # of the data sets that an error lists


class Recorded(NamedTuple):
    """What a reader finds in a file.

    Attributes
    ----------
    data : array-like
        Counts; the last two axes are (y, x) of a pattern.
    calibration : Calibration
        What the file states.
    """

    data: Any
    calibration: Calibration = NOTHING_STATED


def plugin_for(file: Path) -> Any:
    """RosettaSciIO's module for a file, by its suffix.

    Raises
    ------
    PatternError
        No module reads such files.
    """
    import rsciio

    suffix = file.suffix.lower().lstrip(".")
    names = [p["api"] for p in rsciio.IO_PLUGINS if suffix in {e.lower() for e in p["file_extensions"]}]
    names = [name for name in names if name != "rsciio.mrcz"] or names  # plain MRC is the common one
    if not names:
        raise PatternError(
            f"pattern: got a file ending in {file.suffix!r} ({file.name}), accepted: .tif .png .jpg .npy .dm3 .dm4 "
            ".emd .hspy .mrc .h5 and the other formats of RosettaSciIO"
        )
    return import_module(names[0])


def microscope_image(file: Path, dataset: str | None, *, axes: int, lazy: bool) -> dict[str, Any]:
    """One image of a microscope's file, read by RosettaSciIO.

    Parameters
    ----------
    file : Path
    dataset : str or None
        Title or number of the image.
    axes : int
        Images with fewer axes do not count.
    lazy : bool
        Leave the data in the file, as a dask array.

    Returns
    -------
    dict
        RosettaSciIO's: ``data``, ``axes`` (one per axis of the data), ``metadata``, ``original_metadata``.

    Raises
    ------
    PatternError
        There is no such image, or no module reads such files.
    """
    options = {"lazy": True} if lazy else {}
    images = [one for one in plugin_for(file).file_reader(str(file), **options) if np.ndim(one["data"]) >= axes]
    titles = [str(one["metadata"].get("General", {}).get("title") or number) for number, one in enumerate(images)]
    image: dict[str, Any] = images[titles.index(choose_dataset(file, dataset, titles))]
    return image


def hdf5_names(store: Any, *, axes: int) -> list[str]:
    """Paths of the arrays of numbers in an open HDF5 file that have at least so many axes."""
    names: list[str] = []

    def visit(name: str, item: Any) -> None:
        if getattr(item, "ndim", 0) >= axes and item.dtype.kind in "iuf":
            names.append(name)

    store.visititems(visit)
    return names


def choose_dataset(file: Path, dataset: str | None, names: Sequence[str]) -> str:
    """The one data set meant; several without a choice are an error that lists them.

    Parameters
    ----------
    file : Path
        For the error.
    dataset : str or None
        Name, path or number.
    names : sequence of str
        What the file holds.

    Raises
    ------
    PatternError
        None is meant, or several are.
    """
    if not names:
        raise PatternError(f"pattern: {file} {NO_IMAGE}")
    accepted = f"one of {', '.join(names[:NAMES_SHOWN])}"
    if dataset is None:
        if len(names) > 1:
            raise PatternError(f"dataset: got none for {file}, accepted: {accepted}")
        return names[0]
    if dataset.strip("/") in names:
        return dataset.strip("/")
    if dataset.isdigit() and int(dataset) < len(names):
        return names[int(dataset)]
    raise PatternError(f"dataset: got {dataset!r}, accepted: {accepted} (in {file})")


def one_line(error: BaseException) -> str:
    """Kind and text of any error, without line breaks."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
