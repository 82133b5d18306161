"""EMD files, with their axes in the order in which the program that wrote them meant them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.stored import Axis, StoredImage, order_by_name

PY4DSTEM, PRISMATIC = "4DSTEM_experiment", "4DSTEM_simulation"
ENDS_WRITTEN = 2  # values that RosettaSciIO writes of an axis, however long


def read_emd(store: Any, file: Path) -> list[StoredImage]:
    """The arrays of an EMD file of Berkeley, py4DSTEM or Prismatic, axes in the order of the file.

    RosettaSciIO turns the arrays of older versions round, since HyperSpy writes them so; other programs write rows
    first. Its order stays only where the file shows that HyperSpy wrote it, or where the names of the axes do.

    Parameters
    ----------
    store : h5py.File
    file : Path
        The same file.
    """
    from rsciio.emd._emd_ncem import EMD_NCEM

    # Lists of points, such as py4DSTEM's Bragg disks, stand beside arrays of numbers and are no images.
    paths = [path for path in EMD_NCEM.find_dataset_paths(store) if store[path].dtype.kind in "iuf"]
    # One array for each group: stacks of groups are for virtual images of one kind.
    images = read_with("emd", file, stack_group=False, dataset_path=paths, paths=paths)
    if PRISMATIC in store:
        return images
    return [_as_stored(one, store[path], store) for one, path in zip(images, paths, strict=True)]


def _as_stored(image: StoredImage, data: Any, store: Any) -> StoredImage:
    group = data.parent
    if "dim0" in group or data.name.endswith("/datacube"):  # which RosettaSciIO does not turn
        return image
    if PY4DSTEM not in store and (_rows_first(image.axes) or _by_hyperspy(group, data)):  # py4DSTEM calls the rows x
        return image
    return replace(image, values=data, axes=image.axes[::-1])


def _rows_first(axes: tuple[Axis, ...]) -> bool:
    """Whether names say y before x."""
    orders = [order_by_name(*pair) for pair in pairwise(axes)]
    return next((order for order in orders if order), "") == "yx"


def _by_hyperspy(group: Any, data: Any) -> bool:
    """Whether axes without names are written as RosettaSciIO writes them: two values of each, however long it is."""
    places = [group[f"dim{number}"] for number in range(1, data.ndim + 1)]
    named = any(str(place.attrs.get("name", "")) for place in places)
    written = all(place.shape == (ENDS_WRITTEN,) for place in places)
    return written and not named and max(data.shape) > ENDS_WRITTEN
