"""Augmentation as in table 1 of Oberaigner et al. 2023: flips, shear, turns, scales and shifts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import affine_transform


class Distortion(NamedTuple):
    """What is done to the shape of a pattern.

    Attributes
    ----------
    scale : float
        Pixel size relative to the undistorted pattern's: above 1 the pattern looks smaller.
    rotation_deg : float
        Turn from +x towards +y, y down [deg].
    shear_deg : ndarray, shape (2,)
        Shear along x and y [deg].
    shift : ndarray, shape (2,)
        Displacement along x and y over the width of the image [1].
    flips : ndarray of bool, shape (2,)
        Left-right and up-down.
    """

    scale: float
    rotation_deg: float
    shear_deg: np.ndarray
    shift: np.ndarray
    flips: np.ndarray


def distort(pattern: np.ndarray, distortion: Distortion, *, pixels: int) -> np.ndarray:
    """Flip, shear, turn, scale and shift a centred pattern in one bilinear interpolation.

    Parameters
    ----------
    pattern : ndarray of float32, shape (y, x)
        Square image of any unit.
    distortion : Distortion
        What is done to it.
    pixels : int
        Edge of the result [pixels], which covers the same field at scale 1.

    Returns
    -------
    ndarray of float32, shape (pixels, pixels)
        Intensities in the unit of the pattern; 0 where it had no pixel.
    """
    angle = np.deg2rad(distortion.rotation_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    tangents = np.tan(np.deg2rad(distortion.shear_deg))
    # From (row, column) of the result to those of the pattern: turning an image turns its coordinates backwards.
    turn = np.array([[cosine, -sine], [sine, cosine]])
    shear = np.array([[1.0, tangents[1]], [tangents[0], 1.0]])
    flip = np.diag(np.where(distortion.flips[::-1], -1.0, 1.0))
    matrix = flip @ shear @ turn * distortion.scale * len(pattern) / pixels
    middle = (pixels - 1) / 2 + distortion.shift[::-1] * pixels
    distorted = affine_transform(
        pattern, matrix, (len(pattern) - 1) / 2 - matrix @ middle, output_shape=(pixels, pixels), order=1
    )
    return np.asarray(distorted, dtype=np.float32)
