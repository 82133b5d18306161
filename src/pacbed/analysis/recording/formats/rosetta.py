"""What RosettaSciIO reads, as stored images: its axes, its metadata with the mapping applied, its lazy arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from math import nan
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.formats.grey import grey_levels, without_coloured
from pacbed.analysis.recording.stored import Axis, StoredImage, listed_axis


def read_with(
    plugin: str, file: Path, *, lazy: bool = True, own_flags: bool = True, paths: Sequence[str] = (), **options: Any
) -> list[StoredImage]:
    """The images that one module of RosettaSciIO finds in a file.

    Parameters
    ----------
    plugin : str
        Name of the module, such as "digitalmicrograph".
    file : Path
    lazy : bool
        Leave the data in the file, as dask arrays.
    own_flags : bool
        Which axes are scan axes is the file's own word; False where the module only assumes that the last two are not.
    paths : sequence of str
        Where the images lie in the file, in the order in which the module finds them; left out if they are not as many.
    **options
        Of the module's reader.
    """
    found = import_module(f"rsciio.{plugin}").file_reader(str(file), lazy=lazy, **options)
    places = list(paths) if len(paths) == len(found) else [""] * len(found)
    return without_coloured(
        partial(_image, one, place, file.name, own_flags=own_flags) for one, place in zip(found, places, strict=True)
    )


def _image(found: Mapping[str, Any], path: str, source: str, *, own_flags: bool) -> StoredImage:
    values, original = found["data"], found.get("original_metadata") or {}
    if values.dtype.names:  # red, green and blue as a structured array
        whole = np.asarray(values)
        values = grey_levels(np.stack([whole[name] for name in values.dtype.names], axis=-1), source)
    metadata = map_metadata(found.get("metadata") or {}, original, found.get("mapping") or {})
    title = str((metadata.get("General") or {}).get("title") or "")
    return StoredImage(values, _axes(found, len(values.shape), own_flags), path, title, metadata, original)


def _axes(found: Mapping[str, Any], count: int, own_flags: bool) -> tuple[Axis, ...]:
    """The axes in the order of the array; blank where the module describes another number of them."""
    given = list(found["axes"])
    if len(given) != count:
        return (Axis(),) * count
    if all(axis.get("index_in_array") is not None for axis in given):
        given = sorted(given, key=lambda axis: int(axis["index_in_array"]))
    return tuple(_axis(axis, own_flags) for axis in given)


def _axis(given: Mapping[str, Any], own_flags: bool) -> Axis:
    scale, flag = given.get("scale"), given.get("navigate") if own_flags else None
    name, unit, scan = str(given.get("name") or ""), given.get("units") or "", None if flag is None else bool(flag)
    if scale is None and given.get("axis") is not None:
        return listed_axis(name, unit, given["axis"], scan)
    if scale is None and given.get("expression"):
        return Axis(name, unit, nan, scan)
    return Axis(name, unit, None if scale is None else float(scale), scan)


Conversion = Callable[[Any], Any] | None


def map_metadata(
    metadata: Mapping[str, Any], original: Mapping[str, Any], mapping: Mapping[str, tuple[str, Conversion]]
) -> dict[str, Any]:
    """Metadata with what the module's mapping takes over from the original, as HyperSpy does on loading.

    Parameters
    ----------
    metadata, original : mapping
        Trees of dictionaries.
    mapping : mapping
        Dotted path in `original` to dotted path in `metadata` and what converts the value, or None.
    """
    mapped: dict[str, Any] = _copy(metadata)
    for path, (target, convert) in mapping.items():
        value: Any = original
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None or (convert is not None and (value := convert(value)) is None):
            continue
        branch = mapped
        *parents, leaf = target.split(".")
        for key in parents:
            branch = branch.setdefault(key, {})
        branch[leaf] = value
    return mapped


def _copy(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, Mapping) else value for key, value in tree.items()}
