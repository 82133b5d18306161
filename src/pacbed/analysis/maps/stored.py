"""A thickness map on disk: a Zarr group that opens with xarray, and ``map.json``, which says how it was made."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from pacbed.errors import FormatError
from pacbed.outputs import check_version, folder_aside, plain_json, write_json

SCHEMA_VERSION, OLDEST_VERSION = 2, 1
FACTS = "map.json"
DIMENSIONS = ("y", "x")
OLD_ARRAYS = ("thickness_nm", "thickness_std_nm", "mistilt_x_mrad", "mistilt_y_mrad", "misfit", "verdict")
MEANINGS = {
    "thickness_nm": ("nm", "thickness of the crystal along the beam"),
    "thickness_std_nm": ("nm", "standard deviation of the thickness"),
    "thickness_std_statistical_nm": ("nm", "its part from the patterns, and from what they share"),
    "thickness_std_model_nm": ("nm", "its part from the model of the crystal"),
    "mistilt_x_mrad": ("mrad", "mistilt in the frame of the patterns, to the right"),
    "mistilt_y_mrad": ("mrad", "mistilt in the frame of the patterns, downwards"),
    "mistilt_x_std_mrad": ("mrad", "standard deviation of the mistilt to the right"),
    "mistilt_y_std_mrad": ("mrad", "standard deviation of the mistilt downwards"),
    "center_x_px": ("pixel", "column of the optic axis in the pattern: descan"),
    "center_y_px": ("pixel", "row of the optic axis in the pattern: descan"),
    "misfit": ("1", "norm of the residual over that of the pattern without its mean"),
    "chi_square": ("1", "structure of the residual; near 1 for noise"),
    "vacuum_share": ("1", "share of the window without a crystal, where all unknowns were fitted"),
    "bright_field": ("counts", "mean counts per pixel within half the radius of the bright region"),
    "verdict": ("1", "index into the attribute verdicts"),
}


@dataclass(frozen=True)
class ThicknessMap:
    """Maps over the windows of a scan, each an array of shape (row, column); see `MEANINGS` for units.

    Attributes
    ----------
    thickness_nm, thickness_std_nm : float array
        Thickness and its standard deviation [nm]; NaN where there is none, here and below.
    mistilt_x_mrad, mistilt_y_mrad : float array
        Mistilt in the frame of the patterns, x to the right, y down [mrad].
    misfit : float array
        Norm of the residual of the best rendered pattern over that of the pattern without its mean.
    verdict : uint8 array
        Index into `pacbed.analysis.maps.answer.VERDICTS`.
    thickness_std_statistical_nm, thickness_std_model_nm : float array
        Both parts of the standard deviation [nm].
    mistilt_x_std_mrad, mistilt_y_std_mrad : float array
        Standard deviations of the mistilt [mrad].
    center_x_px, center_y_px : float array
        Optic axis in the pattern [pixels].
    chi_square, vacuum_share, bright_field : float array
        See `pacbed.analysis.maps.answer.WindowAnswer`.
    """

    thickness_nm: np.ndarray
    thickness_std_nm: np.ndarray
    mistilt_x_mrad: np.ndarray
    mistilt_y_mrad: np.ndarray
    misfit: np.ndarray
    verdict: np.ndarray
    thickness_std_statistical_nm: np.ndarray
    thickness_std_model_nm: np.ndarray
    mistilt_x_std_mrad: np.ndarray
    mistilt_y_std_mrad: np.ndarray
    center_x_px: np.ndarray
    center_y_px: np.ndarray
    chi_square: np.ndarray
    vacuum_share: np.ndarray
    bright_field: np.ndarray

    @classmethod
    def of(cls, verdict: np.ndarray, known: Mapping[str, np.ndarray]) -> ThicknessMap:
        """A map of some arrays; the others are not known.

        Parameters
        ----------
        verdict : uint8 array, shape (row, column)
        known : mapping
            Arrays of that shape, by name.
        """
        unknown = np.full(verdict.shape, np.nan)
        return cls(**{"verdict": verdict, **{name: known.get(name, unknown) for name in ARRAYS if name != "verdict"}})


ARRAYS = tuple(one.name for one in fields(ThicknessMap))
MAP_FILES = {FACTS, "zarr.json", *DIMENSIONS, *ARRAYS, *(f"{name}.npy" for name in OLD_ARRAYS)}


def write_map(found: ThicknessMap, facts: Mapping[str, Any], out_dir: str | Path, *, step_nm: float | None) -> None:
    """Write the maps and a description into a folder that appears complete or not at all.

    Parameters
    ----------
    found : ThicknessMap
    facts : mapping
        Content of ``map.json``, and attributes of the group: plain JSON values.
    out_dir : path
        Becomes a Zarr group with one array per attribute of `ThicknessMap`, coordinates ``y`` and ``x``.
    step_nm : float or None
        Distance of neighbouring windows [nm]; None where it is not known: coordinates then count scan positions.
    """
    facts = {"schema_version": SCHEMA_VERSION, **plain_json(dict(facts))}
    step = float(facts["window"]) if step_nm is None else step_nm
    unit = "scan positions" if step_nm is None else "nm"
    with folder_aside(out_dir) as aside:
        group = zarr.open_group(aside, mode="w", zarr_format=3)
        group.attrs.update(facts)
        for name, length in zip(DIMENSIONS, found.verdict.shape, strict=True):
            values = (np.arange(length) + 0.5) * step
            stated: dict[str, Any] = {"units": unit, "long_name": "middle of the window"}
            group.create_array(name, data=values, dimension_names=(name,), attributes=stated)
        for name in ARRAYS:
            unit_of, meaning = MEANINGS[name]
            values = getattr(found, name)
            values = values if name == "verdict" else values.astype(np.float32)
            stated = {"units": unit_of, "long_name": meaning}
            group.create_array(name, data=values, dimension_names=DIMENSIONS, attributes=stated)
        with warnings.catch_warnings():
            # zarr-python warns that consolidated metadata is not in the v3 specification; xarray looks for it first.
            warnings.simplefilter("ignore")
            zarr.consolidate_metadata(group.store)
        write_json(facts, aside / FACTS)


def read_map(folder: str | Path) -> ThicknessMap:
    """Read what `write_map` wrote, or a version before it.

    Raises
    ------
    FormatError
        The folder holds no complete map.
    """
    folder = Path(folder)
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        version = facts["schema_version"]
        check_version(f"map {folder}", version, current=SCHEMA_VERSION, oldest=OLDEST_VERSION)
        if version == OLDEST_VERSION:
            arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in OLD_ARRAYS}
        else:
            group = zarr.open_group(folder, mode="r")
            arrays = {name: np.asarray(group[name][...]) for name in ARRAYS}  # type: ignore[index]
        return ThicknessMap.of(arrays["verdict"], arrays)
    except FormatError:
        raise
    except Exception as error:  # zarr and its codecs raise what they like on damaged data
        raise FormatError(f"map {folder}: damaged or incomplete ({type(error).__name__}: {error})") from error


def read_facts(folder: str | Path) -> dict[str, Any]:
    """How a map was made.

    Raises
    ------
    FormatError
        The folder holds no complete map.
    """
    try:
        return dict(json.loads((Path(folder) / FACTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise FormatError(f"map {folder}: damaged or incomplete ({type(error).__name__}: {error})") from error
