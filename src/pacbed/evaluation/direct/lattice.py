"""Incident directions on a lattice, and the image of the pattern that they add up to.

Directions are q = (m + o) P, with whole numbers m, an offset o and steps P = (G1, G2) / n of the reciprocal lattice, so
that all that leaves at q + G lies on one lattice again and no beam is ever interpolated. A pattern is the incoherent
sum of its directions (LeBeau et al., Ultramicroscopy 110 (2010) 118); a detector's blur, a Gaussian that is wide
against P, turns the sum over the lattice into an integral: with a standard deviation of `LEAST_BLUR` steps the lattice
itself is seen at exp(-2 pi^2 `LEAST_BLUR`^2) = 3e-6 of the intensity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.lattice import cone_nodes
from pacbed.crystal.potentials import SlicePotentials

LEAST_BLUR = 0.8  # steps; a narrower Gaussian shows the lattice


@dataclass(frozen=True)
class DirectionLattice:
    """Incident directions inside a cone, and where their beams arrive.

    Attributes
    ----------
    steps : int
        Directions per reciprocal-lattice vector.
    nodes : ndarray of int, shape (direction, 2)
        m of each direction.
    offset : ndarray, shape (2,)
        o, in steps.
    pitch_mrad : ndarray, shape (2, 2)
        Rows: the two steps [mrad].
    beams : ndarray of int, shape (beam, 2)
        Reciprocal-lattice vectors that reach the field.
    field_mrad : float
        Largest scattered angle |q + G| that is kept [mrad].
    unit_mrad : float
        Angle of a spatial frequency of 1/Å [mrad].
    """

    steps: int
    nodes: np.ndarray
    offset: np.ndarray
    pitch_mrad: np.ndarray
    beams: np.ndarray
    field_mrad: float
    unit_mrad: float

    @classmethod
    def of(
        cls,
        slices: SlicePotentials,
        *,
        cone_mrad: float,
        field_mrad: float,
        pitch_mrad: float,
        rng: np.random.Generator,
        multiple: int = 1,
    ) -> DirectionLattice:
        """Directions at most so far apart, off the nodes of any table.

        Parameters
        ----------
        slices : SlicePotentials
            Gives the reciprocal lattice and the wavelength.
        cone_mrad : float
            Largest incident angle [mrad].
        field_mrad : float
            Largest scattered angle [mrad].
        pitch_mrad : float
            Largest step [mrad].
        rng : numpy.random.Generator
            Draws the offset.
        multiple : int
            Steps per reciprocal-lattice vector are a multiple of it: the edge of a supercell, in cells.
        """
        unit = mrad_per_inverse_a(slices.energy_ev)
        reciprocal = slices.reciprocal * unit
        longest = float(np.linalg.norm(reciprocal, axis=1).max())
        steps = multiple * max(1, int(np.ceil(longest / (multiple * pitch_mrad) - 1e-9)))
        pitch, offset = reciprocal / steps, rng.uniform(0.25, 0.75, 2)
        around = cone_nodes(pitch, cone_mrad + float(np.linalg.norm(pitch, axis=1).sum()))
        inside = np.linalg.norm((around + offset) @ pitch, axis=1) <= cone_mrad
        around_mrad = longest if multiple > 1 else 0.0  # diffuse scattering leaves up to half a cell beside a beam
        beams = cone_nodes(reciprocal, field_mrad + cone_mrad + around_mrad)
        return cls(steps, around[inside], offset, pitch, beams, field_mrad, unit)

    @property
    def directions_mrad(self) -> np.ndarray:
        """Incident angles (x, y), crystal frame [mrad], shape (direction, 2)."""
        return np.asarray((self.nodes + self.offset) @ self.pitch_mrad)

    @property
    def q(self) -> np.ndarray:
        """The same as frequencies [1/Å], shape (direction, 2)."""
        return self.directions_mrad / self.unit_mrad

    @property
    def step_mrad(self) -> float:
        """The longer of the two steps [mrad]."""
        return float(np.linalg.norm(self.pitch_mrad, axis=1).max())

    @property
    def least_blur_mrad(self) -> float:
        """Narrowest blur of an image [mrad]."""
        return LEAST_BLUR * self.step_mrad

    @property
    def half(self) -> np.ndarray:
        """Half edges of the box of lattice points around the field, int of shape (2,)."""
        return np.asarray(np.ceil(self.field_mrad * np.linalg.norm(np.linalg.inv(self.pitch_mrad), axis=0)) + 1, int)

    @property
    def box(self) -> tuple[int, int]:
        """Edges of that box."""
        first, second = 2 * self.half + 1
        return int(first), int(second)

    def aperture(self, convergence_mrad: float, mistilt_mrad: tuple[float, float]) -> np.ndarray:
        """Share of the beam that each direction carries, shape (direction,): what of its cell lies in the aperture.

        Parameters
        ----------
        convergence_mrad : float
            Semi-convergence angle [mrad].
        mistilt_mrad : tuple of float
            Middle (x, y) of the aperture, crystal frame [mrad].
        """
        place = self.directions_mrad - np.asarray(mistilt_mrad)
        distance = np.linalg.norm(place, axis=1)
        normal = place / np.maximum(distance, 1e-12)[:, None]
        inside = cell_inside(convergence_mrad - distance, *np.abs(self.pitch_mrad @ normal.T))
        return np.asarray(inside * abs(np.linalg.det(self.pitch_mrad)) / (np.pi * convergence_mrad**2))

    def targets(self, chosen: slice, offsets: np.ndarray | None = None, cells: int = 1) -> np.ndarray:
        """Number of the box's point that each beam of some directions reaches, -1 outside the field.

        Parameters
        ----------
        chosen : slice
            Directions.
        offsets : ndarray of int, shape (bin, 2), optional
            Bins around each beam, in steps of G / `cells`.
        cells : int
            Edge of the supercell that the bins belong to.

        Returns
        -------
        ndarray of int, shape (direction, beam) or (direction, beam, bin)
        """
        point = self.nodes[chosen, None] + self.steps * self.beams
        if offsets is not None:
            point = point[:, :, None] + offsets * (self.steps // cells)
        seen = np.linalg.norm((point + self.offset) @ self.pitch_mrad, axis=-1) <= self.field_mrad
        first, second = np.moveaxis(point + self.half, -1, 0)
        return np.where(seen, first * self.box[1] + second, -1)


def cell_inside(depth: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Share of a parallelogram on the inner side of a straight edge.

    Parameters
    ----------
    depth : ndarray
        How far inside the edge the middle of the parallelogram lies [mrad].
    first, second : ndarray
        Lengths of its two sides along the normal of the edge [mrad].
    """
    least = 1e-3 * (first + second)  # a side along the edge has no length
    first, second = np.maximum(first, least), np.maximum(second, least)
    corners = (0.5 * (first + second), 0.5 * (first - second))
    terms = [
        sign * np.maximum(depth + side * corner, 0.0) ** 2
        for corner, sign in zip(corners, (1, -1), strict=True)
        for side in (1, -1)
    ]
    return np.asarray(np.clip(sum(terms) / (2 * first * second), 0.0, 1.0))
