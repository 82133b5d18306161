"""Inelastic scattering as a blur of an elastic pattern: mean free path, and the angles of plasmon losses.

A share 1 - exp(-t / Λ) of the electrons loses energy in a crystal of thickness t, with the mean free path Λ of Malis,
Cheng & Egerton, J. Electron Microsc. Tech. 8 (1988) 193. Their pattern is blurred by the Lorentzian

    1 / (θ² + θE²),  θE = E (E0 + mc²) / (E0 (E0 + 2 mc²))

of the mean energy loss E at the beam energy E0, cut off at the angle up to which Λ counts.
"""

from __future__ import annotations

import numpy as np
from ase.data import atomic_numbers
from scipy.signal import fftconvolve

from pacbed.crystal.cell import Crystal

COLLECTION_MRAD = 10.0  # inelastic scattering beyond this angle is part of the smooth background
REST_ENERGY_KEV = 511.0
SUBPIXELS = 16  # per edge of a pixel, for the narrow peak of the blur


def mean_energy_loss_ev(oriented: Crystal) -> float:
    """Mean energy of inelastic losses, 7.6 eV Z^0.36 with an effective atomic number [eV]."""
    number = np.array([atomic_numbers[symbol] for symbol in oriented.symbols], dtype=float)
    effective = np.sum(oriented.occupancy * number**1.3) / np.sum(oriented.occupancy * number**0.3)
    return float(7.6 * effective**0.36)


def mean_free_path_nm(oriented: Crystal, energy_kev: float) -> float:
    """Mean free path of inelastic scattering into 10 mrad [nm].

    Malis, Cheng & Egerton, J. Electron Microsc. Tech. 8 (1988) 193.
    """
    # ASSUME: inelastic scattering follows this parametrisation, good to 20 % for inorganic crystals (Malis, Cheng &
    # Egerton 1988).
    loss = mean_energy_loss_ev(oriented)
    relativity = (1 + energy_kev / (2 * REST_ENERGY_KEV)) / (1 + energy_kev / REST_ENERGY_KEV) ** 2
    return float(106 * relativity * energy_kev / (loss * np.log(2 * COLLECTION_MRAD * energy_kev / loss)))


def inelastic_pattern(
    image: np.ndarray, *, pixel_mrad: float, thickness_nm: float, oriented: Crystal, energy_kev: float
) -> np.ndarray:
    """Blur the share of electrons that lost energy, as plasmons do.

    Parameters
    ----------
    image : ndarray, shape (y, x)
        Elastic pattern.
    pixel_mrad : float
        Pixel size [mrad].
    thickness_nm : float
        Thickness of the crystal [nm].
    oriented : Crystal
        Gives mean energy loss and mean free path.
    energy_kev : float
        Beam energy [keV].

    Returns
    -------
    ndarray, shape (y, x)
    """
    # ASSUME: losses blur a pattern by a Lorentzian, cut off at 10 mrad, and change it in no other way (Egerton,
    # Electron Energy-Loss Spectroscopy in the Electron Microscope, 2011, ch. 3).
    width = mean_energy_loss_ev(oriented) * (energy_kev + REST_ENERGY_KEV)
    width /= energy_kev * (energy_kev + 2 * REST_ENERGY_KEV)  # eV / keV, so mrad
    blurred = convolved(image, loss_kernel(pixel_mrad, width))
    share = 1 - np.exp(-thickness_nm / mean_free_path_nm(oriented, energy_kev))
    return np.asarray((1 - share) * image + share * blurred)


def loss_kernel(pixel_mrad: float, width_mrad: float) -> np.ndarray:
    """The Lorentzian of one loss on square pixels, of sum 1, odd shape (y, x).

    Parameters
    ----------
    pixel_mrad : float
        Pixel size [mrad].
    width_mrad : float
        Characteristic angle [mrad].
    """
    reach = int(np.ceil(COLLECTION_MRAD / pixel_mrad))
    fine = (np.arange((2 * reach + 1) * SUBPIXELS) + 0.5) / SUBPIXELS - reach - 0.5
    squared = (fine[:, None] ** 2 + fine**2) * pixel_mrad**2
    kernel = np.where(squared <= COLLECTION_MRAD**2, 1 / (squared + width_mrad**2), 0)
    kernel = kernel.reshape(2 * reach + 1, SUBPIXELS, 2 * reach + 1, SUBPIXELS).sum(axis=(1, 3))
    return np.asarray(kernel / kernel.sum())


def convolved(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Image, shape (y, x), and kernel of odd shape convolved; beyond the frame the image goes on as at its edge."""
    return np.asarray(fftconvolve(np.pad(image, kernel.shape[0] // 2, mode="edge"), kernel, mode="valid"))
