"""A recorded pattern on other pixels: seen through another geometry."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pacbed.patterns import Geometry, bin_pixels

LEAST_SIGMA_PX = 2.0  # of a smoothing, on the pixels it is done on


class Smoothed(NamedTuple):
    """A smoothed image on no more pixels than it needs.

    Attributes
    ----------
    image : float array, shape (y // factor, x // factor)
    factor : int
        Pixels of the original along an edge of one of its.
    """

    image: np.ndarray
    factor: int


def smooth_and_bin(array: np.ndarray, sigma_px: float) -> Smoothed:
    """Smooth with a Gaussian, after binning where that is no loss: of a camera's 16 million pixels a second is left.

    Parameters
    ----------
    array : float array, shape (y, x)
    sigma_px : float
        Of the Gaussian [pixels].
    """
    factor = max(1, int(sigma_px / LEAST_SIGMA_PX))
    # Binning is a part of the smoothing: a square of side 1 has the variance of its edge, less that of a pixel's.
    left_px = np.sqrt((sigma_px / factor) ** 2 - (1 - factor**-2.0) / 12)
    return Smoothed(ndimage.gaussian_filter(bin_pixels(array, factor) if factor > 1 else array, left_px), factor)


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
    smooth = smooth_and_bin(array, 0.45 * np.sqrt(ratio**2 - 1)) if ratio > 1 else Smoothed(array, 1)
    kx, ky = target.angles_mrad()
    seen = source.to_image(np.stack([kx.ravel(), ky.ravel()])) / source.pixel_mrad
    between = (smooth.factor - 1) / 2  # middles of the first pixel and of the first square
    rows, columns = ((seen[axis] + source.center_px[axis] - between) / smooth.factor for axis in (1, 0))
    dark = float(np.percentile(array, 2))
    values = ndimage.map_coordinates(smooth.image, [rows, columns], order=1, mode="constant", cval=dark)
    return np.asarray(values.reshape(target.shape), dtype=np.float32)
