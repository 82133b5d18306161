"""Camera patterns of known truth on disk: few, small, and readable for as long as Zarr is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zarr

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.errors import FormatError
from pacbed.outputs import folder_aside
from pacbed.patterns import LARGEST_COUNT, in_units

SCHEMA_VERSION = 1
VECTORS = ("mistilt_mrad", "center_px", "ellipse_percent")  # the last since patterns may have an ellipse


class StoredPattern(NamedTuple):
    """A pattern as a camera saw it, without noise.

    Attributes
    ----------
    parameters : PatternParameters
    image : float32 array, shape (y, x)
        Fraction of the beam per pixel.
    """

    parameters: PatternParameters
    image: np.ndarray


def store_patterns(patterns: Sequence[StoredPattern], facts: Mapping[str, Any], folder: str | Path) -> None:
    """Write patterns of one shape as 16-bit integers, each with a unit of its own.

    Parameters
    ----------
    patterns : sequence of StoredPattern
    facts : mapping
        Plain JSON values: how they were made.
    folder : path
        Zarr group; complete or absent.
    """
    images = np.stack([pattern.image for pattern in patterns])
    unit = images.max(axis=(1, 2)) / LARGEST_COUNT
    with folder_aside(folder) as aside:
        group = zarr.open_group(str(aside), mode="w")
        group.attrs.update(
            {
                "schema_version": SCHEMA_VERSION,
                **facts,
                "unit": [float(value) for value in unit],
                "parameters": [asdict(pattern.parameters) for pattern in patterns],
            }
        )
        counts = np.stack([in_units(image, float(one)) for image, one in zip(images, unit, strict=True)])
        group.create_array("pattern", data=counts, chunks=counts.shape)


def read_patterns(folder: str | Path) -> list[StoredPattern]:
    """Read what `store_patterns` wrote.

    Raises
    ------
    FormatError
        The folder holds no such patterns, or those of another version.
    """
    try:
        group = zarr.open_group(str(folder), mode="r")
        facts: dict[str, Any] = dict(group.attrs)
        version, counts = facts["schema_version"], np.asarray(group["pattern"])
        pairs = list(zip(facts["parameters"], facts["unit"], counts, strict=True))
    except (OSError, KeyError, ValueError) as error:
        raise FormatError(f"patterns {folder}: missing or damaged ({error})") from error
    if version != SCHEMA_VERSION:
        raise FormatError(f"patterns {folder}: got schema_version {version}, accepted: {SCHEMA_VERSION}")
    return [StoredPattern(parameters_from_json(plain), image * np.float32(unit)) for plain, unit, image in pairs]


def parameters_from_json(plain: Mapping[str, Any]) -> PatternParameters:
    """Parameters of a pattern from the JSON values of their fields."""
    vectors = {name: (float(plain[name][0]), float(plain[name][1])) for name in VECTORS if name in plain}
    return PatternParameters(**{**plain, **vectors})
