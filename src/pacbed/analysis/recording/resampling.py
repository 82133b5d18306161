"""A recorded pattern on other pixels: seen through another geometry."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from pacbed.patterns import Geometry


def resample(array: np.ndarray, source: Geometry, target: Geometry) -> np.ndarray:
    """Look at a recorded pattern through other pixels; the background level stands where nothing was recorded.

    Parameters
    ----------
    array : float array, shape (y, x)
        Repaired counts.
    source : Geometry
        Pixels of `array`.
    target : Geometry
        Pixels of the result.

    Returns
    -------
    float32 array, shape (y, x) of `target`
        Counts; larger pixels see the pattern smoothed to their size.
    """
    ratio = target.pixel_mrad / source.pixel_mrad
    smooth = ndimage.gaussian_filter(array, 0.45 * np.sqrt(ratio**2 - 1)) if ratio > 1 else array
    kx, ky = target.angles_mrad()
    seen = source.to_image(np.stack([kx.ravel(), ky.ravel()])) / source.pixel_mrad
    rows, columns = seen[1] + source.center_px[1], seen[0] + source.center_px[0]
    dark = float(np.percentile(array, 2))
    values = ndimage.map_coordinates(smooth, [rows, columns], order=1, mode="constant", cval=dark)
    return np.asarray(values.reshape(target.shape), dtype=np.float32)
