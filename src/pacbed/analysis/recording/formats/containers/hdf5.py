"""HDF5 by what is in it: HyperSpy, EMD (Velox, Berkeley, py4DSTEM, Prismatic), NeXus, Dectris, or plain arrays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.formats.containers.attributes import attribute_text
from pacbed.analysis.recording.formats.containers.dectris import is_dectris, open_dectris
from pacbed.analysis.recording.formats.containers.emd import read_emd
from pacbed.analysis.recording.formats.containers.hspy import read_hspy
from pacbed.analysis.recording.formats.containers.links import linked_objects
from pacbed.analysis.recording.formats.containers.matlab import columns_first, reversed_axes
from pacbed.analysis.recording.formats.containers.nexus import default_data, read_nexus, with_default
from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.scaled import unpacked
from pacbed.analysis.recording.stored import Axis, StoredImage, check_list, listed_axis

LISTED_AXIS = re.compile(r"^(dim\d+|axis)$")  # of EMD and HyperSpy; NeXus has names of its own
CALIBRATION = "/metadatabundle/calibration"


@contextmanager
def open_hdf5(file: Path) -> Iterator[list[StoredImage]]:
    """The arrays of an HDF5 file, with the axes and the calibration that its layout provides."""
    import h5py

    with suppress(ModuleNotFoundError):  # a compressed array says so if it needs this
        import_module("hdf5plugin")  # registers the compressions of detectors

    with h5py.File(file, "r") as store:
        if is_dectris(store):
            yield [open_dectris(store, file)]
            return
        images: list[StoredImage] = []
        if (reader := _layout_reader(store)) is not None:
            _check_lists(store, file)
            images = reader(store, file)
        yield with_default(images or _plain(store, file), default_data(store))


def _layout_reader(store: Any) -> Callable[[Any, Path], list[StoredImage]] | None:
    """Who reads a layout that RosettaSciIO knows; none for any other."""
    attributes = store.attrs
    if "HyperSpy" in attribute_text(attributes.get("file_format", "")):
        return read_hspy
    if _is_velox(store):
        return _read_velox
    if attribute_text(attributes.get("emd_group_type", "")) == "file" or _has_version(store):
        return read_emd
    if "NX_class" in attributes or any(
        attribute_text(item.attrs.get("NX_class", "")) == "NXentry" for item in _groups(store)
    ):
        return read_nexus
    return None


def _check_lists(store: Any, file: Path) -> None:
    """Refuse long axes, and long lists in py4DSTEM's calibration, which RosettaSciIO reads whole.

    Raises
    ------
    PatternError
    """
    import h5py

    groups = [store]
    store.visititems(lambda _, item: groups.append(item) if isinstance(item, h5py.Group) else None)
    for group in groups:
        listed = ",".join(attribute_text(name) for name in np.ravel(group.attrs.get("axes", ()))).split(",")
        noted = group if group.name.endswith(CALIBRATION) else ()
        for name in (*filter(None, listed), *filter(LISTED_AXIS.match, group), *noted):
            check_list(group.get(name), f"{file}, {name}")


def _has_version(store: Any) -> bool:
    """Whether the file, or a group in it, has the version that the EMD specification asks for."""
    return "version_major" in store.attrs or any("version_major" in group.attrs for group in _groups(store))


def _is_velox(store: Any) -> bool:
    version = (
        attribute_text(store["Version"][...])
        if "Version" in store and getattr(store["Version"], "size", 0) == 1
        else ""
    )
    return "Velox" in version or "DevelopersKit" in version


def _read_velox(store: Any, file: Path) -> list[StoredImage]:
    """The images of Velox; where there are spectra as well, their paths cannot be told."""
    images = store.get("Data/Image", {}) if list(store.get("Data", {})) == ["Image"] else {}
    return read_with("emd", file, paths=[f"Data/Image/{name}/Data" for name in images])


def _plain(store: Any, file: Path) -> list[StoredImage]:
    """Arrays of numbers with two axes or more, in the file and behind links inside its folder; an alias is no array."""
    found: list[StoredImage] = []

    def visit(name: str, item: Any) -> None:
        if getattr(item, "ndim", 0) >= 2 and item.dtype.kind in "iuf":
            axes = reversed_axes(item.shape) if columns_first(item) else _dimensions(item)
            found.append(StoredImage(unpacked(item, item.attrs), axes, path=name))

    store.visititems(visit)
    for name, item in linked_objects(store, file):
        visit(name, item)
    return found


def _dimensions(item: Any) -> tuple[Axis, ...]:
    """Axes of an array after HDF5's dimension scales and labels, which NetCDF writes as well."""
    axes = []
    for length, dimension in zip(item.shape, item.dims, strict=True):
        scale = dimension[0] if len(dimension) else None
        name = dimension.label or ("" if scale is None else str(scale.name).rsplit("/", 1)[-1])
        if scale is not None and scale.shape == (length,) and length > 1 and scale.dtype.kind in "iuf":
            axes.append(listed_axis(name, attribute_text(scale.attrs.get("units", "")), scale))
        else:
            axes.append(Axis(name))
    return tuple(axes)


def _groups(store: Any) -> list[Any]:
    return [store[name] for name in store if store.get(name, getclass=True, getlink=True).__name__ == "HardLink"]
