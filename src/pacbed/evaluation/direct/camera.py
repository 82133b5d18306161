"""What a camera sees of a pattern on a lattice of directions: its own pixels, blurred."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.crystal.lattice import cone_nodes
from pacbed.errors import bad_value
from pacbed.evaluation.direct.lattice import DirectionLattice
from pacbed.patterns import Geometry

REACH = 5.0  # standard deviations to which the Gaussian is summed


@dataclass(frozen=True)
class DirectPattern:
    """A pattern before any camera has seen it.

    Attributes
    ----------
    lattice : DirectionLattice
    sums : ndarray, shape `lattice.box`
        Fraction of the beam at each point of the lattice.
    mistilt_mrad : tuple of float
        Middle (x, y) of the aperture, which is the camera's optic axis, crystal frame [mrad].
    """

    lattice: DirectionLattice
    sums: np.ndarray
    mistilt_mrad: tuple[float, float]

    def image(self, geometry: Geometry, blur_mrad: float) -> np.ndarray:
        """The pattern on the pixels of a camera.

        Parameters
        ----------
        geometry : Geometry
            Pixels of the camera.
        blur_mrad : float
            Standard deviation of the Gaussian blur [mrad].

        Returns
        -------
        float array, shape (y, x)
            Fraction of the beam per pixel.

        Raises
        ------
        ParameterError
            The blur is too narrow for the lattice.
        """
        lattice = self.lattice
        if blur_mrad < lattice.least_blur_mrad - 1e-9:
            raise bad_value("blur_mrad", blur_mrad, f"at least {lattice.least_blur_mrad:.3g} [mrad]")
        angles = np.stack(geometry.angles_mrad(), axis=-1) + np.asarray(self.mistilt_mrad)
        point = angles @ np.linalg.inv(lattice.pitch_mrad) - lattice.offset + lattice.half
        nearest = np.rint(point).astype(int)
        image = np.zeros(geometry.shape)
        for step in cone_nodes(lattice.pitch_mrad, REACH * blur_mrad + lattice.step_mrad):
            at = nearest + step
            inside = np.all((at >= 0) & (at < lattice.box), axis=-1)
            square = np.sum(((at - point) @ lattice.pitch_mrad) ** 2, axis=-1)
            first, second = np.where(inside[..., None], at, 0).transpose(2, 0, 1)
            image += np.where(inside, self.sums[first, second], 0.0) * np.exp(-0.5 * square / blur_mrad**2)
        return image * geometry.pixel_mrad**2 / (2 * np.pi * blur_mrad**2)
