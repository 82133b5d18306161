"""NeXus: groups of data with the array and the axes they mean, and which of them the file itself would show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.formats.containers.attributes import attribute_text
from pacbed.analysis.recording.formats.containers.dectris import LOWEST_EV
from pacbed.analysis.recording.formats.containers.links import identity
from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.scaled import unpacked
from pacbed.analysis.recording.stored import Axis, StoredImage, check_list, listed_axis

DEEPEST = 8  # steps from the root to the data; NeXus needs two
BEAMS = ("instrument/beam", "sample/beam", "beam")  # groups of an entry
ENERGIES_EV = {"ev": 1.0, "kev": 1e3}
USUAL = "data"  # name of the array where none is given


def read_nexus(store: Any, file: Path) -> list[StoredImage]:
    """The array of each group of data, once where several names mean it.

    Parameters
    ----------
    store : h5py.File
    file : Path
        The same file.
    """
    images = [_with_energy(store, one) for one in _by_rosetta(store, file) + _older(store, file)]
    shown = default_data(store)
    kept: dict[object, StoredImage] = {}
    for image in images:
        key = identity(store[image.path]) if image.path else id(image)
        if key not in kept or image.path.strip("/") == shown:
            kept[key] = image
    return list(kept.values())


def _by_rosetta(store: Any, file: Path) -> list[StoredImage]:
    """Groups that name their signal, as they do since 2014; their axes by the older way where they have none."""
    from rsciio.nexus._api import _find_data

    groups = _find_data(store)[0]
    paths = [path for group in groups if (path := _signal(store, group))]
    if any(
        re.search("[:,]", attribute_text(store[group].attrs.get("axes", ""))) for group in groups
    ):  # no list of names
        return [_own(store, path, file) for path in paths]
    # Its flags only say which axes have places.
    images = read_with("nexus", file, paths=paths, own_flags=False, nxdata_only=True)
    older = [bool(one.path) and "axes" in store[one.path].attrs and not _holds_axes(store, one.path) for one in images]
    return [
        replace(one, axes=_axes(store, one.path, file)) if of_signal else one
        for one, of_signal in zip(images, older, strict=True)
    ]


def _older(store: Any, file: Path) -> list[StoredImage]:
    """Groups of data of which an array says that it is the signal."""
    import h5py

    groups: list[str] = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and attribute_text(item.attrs.get("NX_class", "")) == "NXdata":
            marked = any("signal" in one.attrs for one in item.values() if isinstance(one, h5py.Dataset))
            groups.extend([name] if marked and "signal" not in item.attrs else [])

    store.visititems(visit)
    return [_own(store, _signal(store, group), file) for group in groups]


def _own(store: Any, path: str, file: Path) -> StoredImage:
    data = store[path]
    title = path.strip("/").split("/")[-2]
    return StoredImage(unpacked(data, data.attrs), _axes(store, path, file), path, title)


def _holds_axes(store: Any, path: str) -> bool:
    return "axes" in store[path.rpartition("/")[0]].attrs


def _axes(store: Any, path: str, file: Path) -> tuple[Axis, ...]:
    """Axes that the group of an array or, in older files, the array itself names, one text for all or one for each."""
    import h5py

    data, group = store[path], store[path.rpartition("/")[0]]
    given = np.ravel(np.asarray(group.attrs.get("axes", data.attrs.get("axes", "")), dtype=object))
    names = [name for text in given for name in re.split(r"[:,]", attribute_text(text).strip(" []")) if name]
    if len(names) != data.ndim:
        return ()
    axes = []
    for name, length in zip(map(str.strip, names), data.shape, strict=True):
        places = group.get(name)
        if isinstance(places, h5py.Dataset) and places.shape == (length,) and length > 1 and places.dtype.kind in "iuf":
            check_list(places, f"{file}, {name}")
            axes.append(listed_axis(name, attribute_text(places.attrs.get("units", "")), places))
        else:
            axes.append(Axis(name))
    return tuple(axes)


def _with_energy(store: Any, image: StoredImage) -> StoredImage:
    """The image with the energy of its entry's beam, where nothing else states one."""
    import h5py

    entry = image.path.strip("/").partition("/")[0]
    for place in BEAMS:
        found = store.get(f"{entry}/{place}/incident_energy")
        if not isinstance(found, h5py.Dataset) or found.size != 1 or found.dtype.kind not in "iuf":
            continue
        energy_ev = float(found[...].item()) * ENERGIES_EV.get(
            attribute_text(found.attrs.get("units", "")).lower(), 0.0
        )
        if energy_ev >= LOWEST_EV and "Acquisition_instrument" not in image.metadata:
            beam = {"Acquisition_instrument": {"TEM": {"beam_energy": energy_ev / 1e3}}}
            return replace(image, metadata={**image.metadata, **beam})
    return image


def default_data(store: Any) -> str:
    """Path of the array that a NeXus file shows by default; empty where it names none.

    Parameters
    ----------
    store : h5py.File
    """
    import h5py

    group, path = store, ""
    for _ in range(DEEPEST):
        if "default" not in group.attrs:
            break
        path = f"{path}/{attribute_text(group.attrs['default'])}".strip("/")
        group = store.get(path)
        if not isinstance(group, h5py.Group):
            return path if isinstance(group, h5py.Dataset) else ""
    return _signal(store, path).strip("/") if path else ""


def with_default(images: Sequence[StoredImage], path: str) -> list[StoredImage]:
    """Images, of which the one at a path is the file's own choice."""
    return [replace(one, preferred=True) if path and one.path.strip("/") == path else one for one in images]


def _signal(store: Any, path: str) -> str:
    """Path of the array that a group of data means, by the group's word or, before 2014, the array's; else empty."""
    import h5py

    group = store[path]
    named = attribute_text(group.attrs.get("signal", ""))
    marked = [name for name in group if isinstance(one := group.get(name), h5py.Dataset) and "signal" in one.attrs]
    name = next((one for one in (named, USUAL, *marked) if one and isinstance(group.get(one), h5py.Dataset)), "")
    return f"{path}/{name}" if name else ""
