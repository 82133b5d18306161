"""Maps as images, for programs that read nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.maps.stored import ARRAYS, ThicknessMap
from pacbed.outputs import folder_aside


def write_images(found: ThicknessMap, out_dir: str | Path, *, window_nm: float | None) -> list[Path]:
    """Write a TIFF of each map; the folder appears complete or not at all.

    Parameters
    ----------
    found : ThicknessMap
    out_dir : path
        Receives ``<name>.tif``, 32-bit floating point, not a number where nothing is known.
    window_nm : float or None
        Edge of a window [nm], which the images state as ImageJ does.

    Returns
    -------
    list of Path
    """
    import tifffile

    stated: dict[str, Any] = {"metadata": {"unit": "pixel"}}
    if window_nm is not None:
        stated = {"resolution": (1 / window_nm, 1 / window_nm), "metadata": {"unit": "nm"}}
    with folder_aside(out_dir) as aside:
        for name in ARRAYS:
            tifffile.imwrite(aside / f"{name}.tif", getattr(found, name).astype(np.float32), imagej=True, **stated)
    return [Path(out_dir) / f"{name}.tif" for name in ARRAYS]
