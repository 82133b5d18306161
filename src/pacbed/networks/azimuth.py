"""The direction of a mistilt as a network answers it: probabilities of bins of azimuth around the polar map."""

from __future__ import annotations

import numpy as np

BINS = 32
# Standard error of the vector that the labels stand for: a mistilt of m is told its direction to this over m.
VECTOR_ERROR_MRAD = 0.4
LARGEST_CONCENTRATION = 25.0  # a standard deviation of 11.5 deg, the width of a bin


def bin_azimuths() -> np.ndarray:
    """Azimuths of the bins in the map, shape (bin,) [rad]."""
    return 2 * np.pi * np.arange(BINS) / BINS


def azimuth_labels(mistilt_mrad: np.ndarray) -> np.ndarray:
    """Probability of each bin: a von Mises distribution about the direction, uniform where there is no mistilt.

    Parameters
    ----------
    mistilt_mrad : ndarray, shape (pattern, 2)
        Mistilt (x, y) in the frame of the map [mrad].

    Returns
    -------
    ndarray of float32, shape (pattern, bin)
        ``exp(kappa cos(phi_j - phi)) / Z`` with ``kappa = (|mistilt| / VECTOR_ERROR_MRAD)^2``, at most
        `LARGEST_CONCENTRATION` [1].
    """
    size = np.linalg.norm(mistilt_mrad, axis=1)
    azimuth = np.arctan2(mistilt_mrad[:, 1], mistilt_mrad[:, 0])
    kappa = np.minimum((size / VECTOR_ERROR_MRAD) ** 2, LARGEST_CONCENTRATION)
    weights = np.exp(kappa[:, None] * (np.cos(bin_azimuths() - azimuth[:, None]) - 1))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def mean_direction(probability: np.ndarray) -> np.ndarray:
    """Mean unit vector of distributions over the bins.

    Parameters
    ----------
    probability : ndarray, shape (map, bin)
        Probabilities [1].

    Returns
    -------
    ndarray of complex, shape (map,)
        Its argument is the direction in the map [rad], its length how much they agree, 0 to 1.
    """
    return np.asarray(probability @ np.exp(1j * bin_azimuths()))


def circular_std(direction: np.ndarray) -> np.ndarray:
    """Circular standard deviation of mean unit vectors [rad]."""
    return np.asarray(np.sqrt(-2 * np.log(np.clip(np.abs(direction), 1e-6, 1.0))))
