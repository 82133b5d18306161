"""Objects in a recorded pattern that are no part of it: brighter than a diffraction disk of its level can be."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

# ASSUME: no pixel of a pattern is brighter than this, in units of its disk's mean level above the dark: over SrTiO3
# [001] and Au [110] at all thicknesses, angles and tilts of their bundles the brightest is at 2.3 (measured).
NATURAL_PEAK = 3.0
NOISE_SIGMA = 7.0  # and so many standard deviations of its noise on top
SPARSE = 0.5  # of the disk's level: a median below it is that of single electrons
FOOT = 0.03  # of the disk's level: where the foot of a stray object ends
LARGEST_FOOT_PX = 24.0
WIDEST_FILL_PX = 64.0  # wider means take minutes for long frames, and what lies so far from all that counts is dark


def stray_objects(image: np.ndarray, disk: np.ndarray, *, level: float, dark: float) -> np.ndarray | None:
    """Pixels of objects brighter than the disk can be, with their feet.

    The foot is that of a Gaussian as wide as the object is at the threshold: right for a stray spot, and little more
    than a pixel about a sharp cluster.

    Parameters
    ----------
    image : float array, shape (y, x)
        Counts.
    disk : bool array, shape (y, x)
        Pixels of the disk, at least one.
    level : float
        Mean of the disk above `dark`.
    dark : float
        Level without electrons.

    Returns
    -------
    bool array, shape (y, x), or None
        None where there are no such objects, or where electrons are so few that nobody can tell.
    """
    level = max(level, 1e-30)
    if float(image.max()) - dark < NATURAL_PEAK * level:
        return None
    above = (ndimage.gaussian_filter(image, 1.0) - dark) / level
    if float(np.median(above[disk])) < SPARSE:
        return None
    noise = 1.48 * float(np.median(np.abs(above - ndimage.gaussian_filter(above, 2.0))[disk]))
    labels, count = ndimage.label(above > NATURAL_PEAK + NOISE_SIGMA * noise, np.ones((3, 3)))
    return _with_feet(above, labels, count) if count else None


def _with_feet(above: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Labelled objects, shape (y, x), widened until they have fallen to `FOOT`; `above` is in levels of the disk."""
    found = labels > 0
    # An object at the rim of the frame has its width inside: the frame goes on as it ends.
    depth = ndimage.distance_transform_edt(np.pad(found, 1, mode="edge"))[1:-1, 1:-1]
    numbers = np.arange(1, count + 1)
    peaks, widths = (np.asarray(ndimage.maximum(values, labels, numbers)) for values in (above, depth))
    sigma = np.maximum(widths - 0.5, 0.5) / np.sqrt(2 * np.log(np.maximum(peaks / NATURAL_PEAK, 1.2)))
    reach = np.minimum(sigma * np.sqrt(2 * np.log(peaks / FOOT)), LARGEST_FOOT_PX) - widths + 0.5
    away, nearest = ndimage.distance_transform_edt(~found, return_indices=True)
    return np.asarray(away <= np.maximum(reach, 1.0)[labels[tuple(nearest)] - 1])


def fill(image: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Fill the pixels that are not used from their neighbours, the nearer ones first.

    Parameters
    ----------
    image : float array, shape (y, x)
        Counts; not finite at most where a pixel is not used.
    used : bool array, shape (y, x)
        Pixels that count; at least one.

    Returns
    -------
    float32 array, shape (y, x)
        The image where pixels are used, a weighted mean of used ones elsewhere.
    """
    filled = np.where(used, image, 0.0).astype(np.float32)
    missing, weight, sigma = ~used, used.astype(np.float32), 1.0
    known = filled.copy()
    while missing.any() and sigma <= WIDEST_FILL_PX:
        share = ndimage.gaussian_filter(weight, sigma, mode="nearest")
        ready = missing & (share > 0.02)
        if ready.any():
            filled[ready] = (ndimage.gaussian_filter(known, sigma, mode="nearest") / np.maximum(share, 1e-30))[ready]
            missing &= ~ready
        sigma *= 2
    if missing.any():  # far from all that counts
        nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
        filled[missing] = filled[tuple(nearest)][missing]
    return filled
