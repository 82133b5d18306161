"""The one place that turns a pattern and a convergence angle into a network's inputs, in training and prediction."""

from __future__ import annotations

import numpy as np

from pacbed.config.values import TASKS
from pacbed.errors import bad_value

# Levels are taken from the locally averaged image, so that neither hot pixels nor noise set them.
DARK_QUANTILE = 0.02
BRIGHT_QUANTILE = 0.98
# After normalisation the dark level is -1 and the bright one 1; few real pixels lie far outside.
CLIP = (-1.5, 2.0)


def network_input(image: np.ndarray, *, task: str) -> np.ndarray:
    """Background handling and normalisation of one pattern.

    A uniform background, the dark level of the locally averaged image, is subtracted and the bright level is scaled
    to one: neither gain nor offset of the camera reaches the network.

    Parameters
    ----------
    image : ndarray, shape (n, n)
        Intensities on any linear scale.
    task : {"scale", "thickness", "mistilt"}
        Network that will see the result. All three get the same treatment: the paper's blurred background of the scale
        network is, at 90 % of the image's width, uniform to within the noise.

    Returns
    -------
    ndarray of float32, shape (n, n)
        Dark level -1, bright level 1, clipped to [-1.5, 2].

    Raises
    ------
    ParameterError
        The image is not square, holds NaN or infinity, or is flat; the task is unknown.
    """
    if task not in TASKS:
        raise bad_value("task", task, f"one of {', '.join(TASKS)}")
    image = np.asarray(image)
    if image.ndim != 2 or image.shape[0] != image.shape[1] or image.shape[0] < 8:
        raise bad_value("image", f"shape {image.shape}", "a square image of at least 8 x 8 pixels")
    if not np.all(np.isfinite(image)):
        raise bad_value("image", "NaN or infinite pixels", "finite intensities")
    if np.ptp(image) <= 0:
        raise bad_value("image", "the same value everywhere", "a pattern")
    # Only here can intensities be large (16-bit counts, electrons); float32 keeps seven digits of what is left.
    shifted = np.asarray(image, dtype=np.float64) - float(np.min(image))
    return normalise_batch((shifted / shifted.max()).astype(np.float32)[None])[0]


def normalise_batch(images: np.ndarray) -> np.ndarray:
    """Normalise several patterns; what `network_input` does to one.

    Parameters
    ----------
    images : ndarray of float32, shape (sample, n, n)
        Intensities on any linear scale.

    Returns
    -------
    ndarray of float32, shape (sample, n, n)
    """
    # Averaged over 3 x 3 pixels, every second one is enough for quantiles.
    smooth = _box_average(images)[:, ::2, ::2].reshape(len(images), -1)
    low, high = (round(quantile * (smooth.shape[1] - 1)) for quantile in (DARK_QUANTILE, BRIGHT_QUANTILE))
    ordered = np.partition(smooth, (low, high), axis=1)
    dark, bright = ordered[:, low], ordered[:, high]
    spread = np.maximum(bright - dark, 1e-6 * np.ptp(images, axis=(1, 2)) + 1e-30)
    gain = (2.0 / spread).astype(np.float32)[:, None, None]
    result: np.ndarray = (images - dark[:, None, None]) * gain
    result -= np.float32(1.0)
    return np.clip(result, *CLIP, out=result)


def convergence_input(
    convergence_mrad: np.ndarray | float, *, center_mrad: float, half_width_mrad: float
) -> np.ndarray:
    """Convergence angles as the networks take them.

    Parameters
    ----------
    convergence_mrad : float or ndarray, shape (sample,)
        Convergence semi-angles [mrad].
    center_mrad, half_width_mrad : float
        Middle and half width of the trained range [mrad], from the network's description.

    Returns
    -------
    ndarray of float32, shape (sample, 1)
        -1 to 1 over the trained range.
    """
    angles = np.atleast_1d(np.asarray(convergence_mrad, dtype=np.float64))
    return ((angles - center_mrad) / half_width_mrad).astype(np.float32)[:, None]


def _box_average(images: np.ndarray) -> np.ndarray:
    """Mean of 3 x 3 pixels without the border; shape (sample, n - 2, n - 2)."""
    rows = images[:, :-2] + images[:, 1:-1] + images[:, 2:]
    return (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / np.float32(9.0)
