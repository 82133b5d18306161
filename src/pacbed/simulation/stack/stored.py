"""A stack on disk: opened only if it is complete and of a version that is understood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import zarr

from pacbed.errors import FormatError
from pacbed.outputs import check_done, check_version
from pacbed.systems import System

SCHEMA_VERSION = 1


def open_stack(stack_dir: str | Path) -> zarr.Group:
    """Open the stack that `assemble_stack` wrote.

    Raises
    ------
    FormatError
        The folder holds no complete stack, or one of another version.
    """
    folder = Path(stack_dir)
    check_done(folder, "stack")
    group = zarr.open_group(str(folder / "stack.zarr"), mode="r")
    version = group.attrs.get("schema_version")
    check_version(f"stack {folder}", version, current=SCHEMA_VERSION, oldest=SCHEMA_VERSION)
    return group


def read_series(pattern: Any, convergence: int, tilt: int) -> np.ndarray:
    """Read one thickness series.

    Parameters
    ----------
    pattern : zarr.Array, shape (convergence, tilt, thickness, y, x)
        Patterns of an open stack.
    convergence, tilt : int
        Number of its convergence angle and of its mistilt.

    Returns
    -------
    ndarray of uint16, shape (thickness, y, x)
        Intensities in units of the stack's ``scale_factor`` [fraction of the beam per pixel].

    Raises
    ------
    FormatError
        The chunk is damaged: its checksum says so, or its codec.
    """
    try:
        return np.asarray(pattern[convergence, tilt])
    except Exception as error:  # zarr and its codecs raise what they like on damaged data
        folder = Path(pattern.store.root).parent
        raise FormatError(
            f"stack {folder}: the series of convergence angle {convergence} and mistilt {tilt} is damaged ({error}); "
            "delete the folder and make it again"
        ) from error


def of_stack(stack_dir: str | Path) -> System:
    """The system of a stack; its patterns are not read."""
    attributes: dict[str, Any] = dict(open_stack(stack_dir).attrs)
    try:
        crystal, beam = attributes["crystal"], attributes["beam"]
        return System(crystal["formula"], tuple(crystal["zone_axis"]), beam["energy_kev"])
    except (TypeError, KeyError) as error:
        raise FormatError(f"stack {stack_dir}: does not say of which system it is ({error!r})") from error
