"""Writes a rendered pattern as an array or an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pacbed.errors import bad_value
from pacbed.outputs import file_aside

SUFFIXES = (".npy", ".tif", ".tiff", ".png")


def write_image(image: np.ndarray, path: str | Path, *, pixel_mrad: float | None = None) -> None:
    """Store a pattern; the file appears complete or not at all.

    Parameters
    ----------
    image : float32 array, shape (y, x)
        Fraction of the beam per pixel, or counts.
    path : path
        ``.npy`` and ``.tif`` keep the values, ``.png`` holds 16-bit levels, 65535 at the maximum.
    pixel_mrad : float, optional
        Pixel size [mrad]; a ``.tif`` states it as ImageJ does.

    Raises
    ------
    ParameterError
        Another suffix.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise bad_value("out", str(path), f"a file ending in {', '.join(SUFFIXES)}")
    with file_aside(path) as aside:
        if suffix == ".npy":
            np.save(aside, image)
        elif suffix == ".png":
            import imageio.v3 as iio

            iio.imwrite(aside, np.round(image * (65535 / max(float(image.max()), 1e-30))).astype(np.uint16))
        else:
            import tifffile

            stated: dict[str, Any] = {}
            if pixel_mrad is not None:
                stated = {"imagej": True, "resolution": 2 * (1 / pixel_mrad,), "metadata": {"unit": "mrad"}}
            tifffile.imwrite(aside, image, **stated)
