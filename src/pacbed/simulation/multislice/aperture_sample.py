"""A tilted aperture sampled by few directions: enough to see how much a pattern depends on a numerical choice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.crystal.electron import wavelength_a
from pacbed.crystal.lattice import cone_nodes
from pacbed.crystal.potentials import SlicePotentials

PATTERN_DIRECTIONS = 150  # enough to weigh the whole aperture; what converges is seen long before a picture is sharp
TILT_AZIMUTH_DEG = 20.0  # on no mirror of any lattice


@dataclass(frozen=True)
class Sample:
    """Few directions of a tilted aperture, chosen so that their beams fall on common pixels.

    Attributes
    ----------
    steps : int
        Directions per reciprocal-lattice vector.
    nodes : numpy.ndarray of int, shape (direction, 2)
        Directions q = (m1 G1 + m2 G2) / steps, the mistilt left out.
    tilt_mrad : numpy.ndarray, shape (2,)
        The mistilt [mrad].
    q : numpy.ndarray, shape (direction, 2)
        Directions with the mistilt [1/Å].
    beams : numpy.ndarray of int, shape (beam, 2)
        Reciprocal-lattice vectors that reach the field of view.
    reciprocal : numpy.ndarray, shape (2, 2)
        Rows G1, G2 [1/Å].
    """

    steps: int
    nodes: np.ndarray
    tilt_mrad: np.ndarray
    q: np.ndarray
    beams: np.ndarray
    reciprocal: np.ndarray

    def patterns(self, intensity: np.ndarray, field: float) -> np.ndarray:
        """Sum over the aperture where k = q + G, without the mistilt, lies in the field [1/Å]; (plane, pixel)."""
        pixels = (self.nodes[:, None, :] + self.steps * self.beams[None]).reshape(-1, 2)
        unique, index = np.unique(pixels, axis=0, return_inverse=True)
        inside = np.linalg.norm(unique @ self.reciprocal / self.steps, axis=1) <= field
        flat = intensity.reshape(len(intensity), -1).astype(float)
        sums = np.stack([np.bincount(index.ravel(), weights=plane, minlength=len(unique)) for plane in flat])
        return sums[:, inside]


def sample_aperture(slices: SlicePotentials, alpha_mrad: float, tau_mrad: float, field_mrad: float) -> Sample:
    """About `PATTERN_DIRECTIONS` directions of the largest aperture at the largest mistilt."""
    unit = 1e3 * wavelength_a(slices.energy_ev)
    reciprocal = slices.reciprocal
    area = abs(np.linalg.det(reciprocal)) * unit**2
    steps = max(1, int(np.ceil(np.sqrt(PATTERN_DIRECTIONS * area / (np.pi * alpha_mrad**2)))))
    nodes = cone_nodes(reciprocal * unit / steps, alpha_mrad)
    azimuth = np.deg2rad(TILT_AZIMUTH_DEG)
    tilt = tau_mrad * np.array([np.cos(azimuth), np.sin(azimuth)])
    beams = cone_nodes(reciprocal * unit, field_mrad + alpha_mrad)
    return Sample(steps, nodes, tilt, nodes @ reciprocal / steps + tilt / unit, beams, reciprocal)
