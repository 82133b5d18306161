"""Patterns in polar coordinates about their bright region, where a rotation is a shift of the angle."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from pacbed.outline import Outline
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS

RADII = np.linspace(0.04, 1.4, 20)  # of the rings, in units of the bright region's radius
ANGLES = 120  # along a ring
_RINGS = np.stack([np.outer(RADII, turn(np.arange(ANGLES) * 2 * np.pi / ANGLES)) for turn in (np.cos, np.sin)])
_WEIGHT = np.sqrt(RADII)
# Orthonormal shapes of the smooth background, weighted, shape (radius, shape).
_BACKGROUND, _ = np.linalg.qr(
    _WEIGHT[:, None] * np.exp(-0.5 * (RADII[:, None] / np.array([np.inf, *BACKGROUND_WIDTHS])) ** 2)
)


def polar_image(image: np.ndarray, outline: Outline) -> np.ndarray:
    """The image on rings around its bright region.

    Parameters
    ----------
    image : float array, shape (y, x)
    outline : Outline
        Its bright region.

    Returns
    -------
    float array, shape (radius, angle)
        Rings at `RADII`; angles from +x towards +y, a step of 360° / `ANGLES`.
    """
    rows, columns = (outline.center_px[axis] + outline.radius_px * _RINGS[axis] for axis in (1, 0))
    return np.asarray(ndimage.map_coordinates(image, [rows, columns], order=1, mode="nearest"))


def angular_spectrum(polar: np.ndarray) -> np.ndarray:
    """Fourier transform over the angle, weighted by area, the smooth background projected out, of unit norm.

    Constant and Gaussians of the background do not depend on the angle: they are taken out of frequency 0 alone.

    Parameters
    ----------
    polar : float array, shape (radius, angle)
        Output of `polar_image`.

    Returns
    -------
    complex64 array, shape (radius, frequency)
        Frequencies 0 to `ANGLES` / 2.
    """
    spectrum = np.fft.rfft(polar, axis=1) * (_WEIGHT[:, None] / np.sqrt(ANGLES))
    spectrum[:, 0] -= _BACKGROUND @ (_BACKGROUND.T @ spectrum[:, 0])
    return of_unit_norm(spectrum)


def of_unit_norm(spectra: np.ndarray) -> np.ndarray:
    """Spectra, shape (..., radius, frequency), over the norms of the patterns they belong to; complex64."""
    # A frequency other than 0 and the highest stands for its negative as well.
    twice = np.where(np.arange(spectra.shape[-1]) % (ANGLES // 2) == 0, 1.0, 2.0)
    norms = np.sqrt(np.sum(twice * np.abs(spectra) ** 2, axis=(-2, -1), keepdims=True))
    return np.asarray((spectra / np.maximum(norms, 1e-30)).astype(np.complex64))
