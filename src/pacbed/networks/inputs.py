"""What a network sees: the normalised pattern and convergence angle, the same in training and in prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pacbed.errors import bad_value

SMALLEST_PIXELS = 8
# Levels are taken from the locally averaged image, so that neither hot pixels nor noise set them.
DARK_QUANTILE = 0.02
BRIGHT_QUANTILE = 0.98
# After normalisation the dark level is -1 and the bright one 1; few real pixels lie far outside.
CLIP = (-1.5, 2.0)
LEAST_HALF_WIDTH = 0.05  # of the trained convergence angles, over their middle


def normalise_pattern(image: np.ndarray) -> np.ndarray:
    """Subtract the background of one pattern and scale it, so that neither gain nor offset of a camera remains.

    The three networks get the same treatment, after "Automatic PACBED Analysis" in Oberaigner et al. 2023: a uniform
    background is subtracted and the image scaled to -1 and 1. The paper's other background, the blurred image that it
    subtracts for the scale network, is uniform to within the noise at a blur of 90 % of the image's width.

    Parameters
    ----------
    image : ndarray, shape (y, x)
        Square image; intensities on any linear scale.

    Returns
    -------
    ndarray of float32, shape (y, x)
        Dark level -1, bright level 1 [1], clipped to `CLIP`; see `normalise_patterns`.

    Raises
    ------
    ParameterError
        The image is not square or too small, holds NaN or infinity, or is flat.
    """
    image = np.asarray(image)
    if image.ndim != 2 or image.shape[0] != image.shape[1] or image.shape[0] < SMALLEST_PIXELS:
        accepted = f"a square image of at least {SMALLEST_PIXELS} x {SMALLEST_PIXELS} pixels"
        raise bad_value("image", f"shape {image.shape}", accepted)
    if not np.all(np.isfinite(image)):
        raise bad_value("image", "NaN or infinite pixels", "finite intensities")
    if np.ptp(image) <= 0:
        raise bad_value("image", "the same value everywhere", "a pattern")
    # Only here can intensities be large (16-bit counts, electrons); float32 keeps seven digits of what is left.
    shifted = np.asarray(image, dtype=np.float64) - float(np.min(image))
    return normalise_patterns((shifted / shifted.max()).astype(np.float32)[None])[0]


def normalise_patterns(images: np.ndarray) -> np.ndarray:
    """Normalise several patterns of moderate intensity; what `normalise_pattern` does to one of any.

    With the levels d and b, the 2 % and 98 % quantiles of the image averaged over 3 x 3 pixels, intensity I becomes
    ``2 (I - d) / (b - d) - 1``, clipped to `CLIP`.

    Parameters
    ----------
    images : ndarray of float32, shape (pattern, y, x)
        Intensities on any linear scale, near 1 in size.

    Returns
    -------
    ndarray of float32, shape (pattern, y, x)
        Dark level -1, bright level 1 [1].
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


@dataclass(frozen=True)
class ConvergenceNormalisation:
    """The linear map of semi-convergence angles to a network's second input: -1 to 1 over the trained range.

    Attributes
    ----------
    center_mrad : float
        Middle of the trained range [mrad].
    half_width_mrad : float
        Half its width [mrad].
    """

    center_mrad: float
    half_width_mrad: float

    @classmethod
    def spanning(cls, convergence_mrad: Sequence[float]) -> ConvergenceNormalisation:
        """Middle and half width of a grid's semi-convergence angles [mrad]; at least 5 % of the middle wide."""
        low, high = min(convergence_mrad), max(convergence_mrad)
        center = (low + high) / 2
        return cls(center, max((high - low) / 2, LEAST_HALF_WIDTH * center))

    def normalise(self, convergence_mrad: np.ndarray | float) -> np.ndarray:
        """Semi-convergence angles [mrad] as the networks take them.

        Parameters
        ----------
        convergence_mrad : float or ndarray, shape (pattern,)
            Semi-convergence angles [mrad].

        Returns
        -------
        ndarray of float32, shape (pattern, 1)
            -1 to 1 over the trained range [1].
        """
        angles = np.atleast_1d(np.asarray(convergence_mrad, dtype=np.float64))
        return ((angles - self.center_mrad) / self.half_width_mrad).astype(np.float32)[:, None]


def named_inputs(patterns: np.ndarray, convergence: np.ndarray) -> dict[str, np.ndarray]:
    """Both inputs under the names that the networks have for them, in Keras and in ONNX alike.

    Parameters
    ----------
    patterns : ndarray of float32, shape (pattern, y, x)
        Normalised patterns [1].
    convergence : ndarray of float32, shape (pattern, 1)
        Normalised semi-convergence angles [1].

    Returns
    -------
    dict of ndarray
        ``pattern``, shape (pattern, y, x, 1), one channel last, and ``convergence``, shape (pattern, 1).
    """
    return {"pattern": patterns[..., None], "convergence": convergence}


def _box_average(images: np.ndarray) -> np.ndarray:
    """Mean of 3 x 3 pixels without the border; shape (pattern, y - 2, x - 2)."""
    rows = images[:, :-2] + images[:, 1:-1] + images[:, 2:]
    return (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / np.float32(9.0)
