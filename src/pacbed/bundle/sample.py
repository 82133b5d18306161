"""A few held-out thickness series of the stack, kept in a bundle so that anybody can check its renderer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import zarr

from pacbed.simulation.stack.stored import open_stack, read_series

SERIES = 3
DIMENSIONS = ("series", "thickness_nm", "ky_mrad", "kx_mrad")


def write_sample(stack_dir: str | Path, target: str | Path) -> int:
    """Copy up to `SERIES` series, evenly spread over those held out of training, to a Zarr group.

    Parameters
    ----------
    stack_dir : path
        Folder that `assemble_stack` wrote.
    target : path
        Folder of the new group: ``pattern`` (series, thickness, y, x) in the integers of the stack, its axes
        ``thickness_nm`` [nm], ``ky_mrad`` and ``kx_mrad`` [mrad], and of each series ``convergence_mrad`` [mrad],
        ``mistilt_mrad`` [mrad] and ``azimuth_deg`` [deg].

    Returns
    -------
    int
        Pixels along the edge of a pattern.
    """
    stack = open_stack(stack_dir)
    held_out = np.argwhere(np.asarray(stack["split"][...]) == 1)  # type: ignore[index]
    chosen = held_out[np.unique(np.linspace(0, len(held_out) - 1, min(SERIES, len(held_out))).astype(int))]
    pattern: Any = stack["pattern"]
    group = zarr.open_group(str(target), mode="w", zarr_format=3)
    values = np.stack([read_series(pattern, convergence, tilt) for convergence, tilt in chosen])
    scale = {"scale_factor": pattern.attrs["scale_factor"], "units": pattern.attrs["units"]}
    group.create_array(
        "pattern", data=values, chunks=(1, *values.shape[1:]), attributes=scale, dimension_names=DIMENSIONS
    )
    for name, column in (("convergence_mrad", 0), ("mistilt_mrad", 1), ("azimuth_deg", 1)):
        along: Any = stack[name]
        group.create_array(name, data=np.asarray(along[...])[chosen[:, column]], dimension_names=("series",))
    for name in DIMENSIONS[1:]:
        axis: Any = stack[name]
        group.create_array(name, data=np.asarray(axis[...]), dimension_names=(name,))
    return int(values.shape[-1])
