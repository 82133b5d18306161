"""The aperture in which numerical choices are tried: the widest of the parameter grid, at its largest mistilt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pacbed.crystal.potentials import SlicePotentials, whole_periods
from pacbed.simulation.multislice.aperture import Aperture, mistilt_off_mirrors, sample_aperture
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine, Rocking
from pacbed.simulation.structure.settings import PatternLimits


class ThicknessPlanes(NamedTuple):
    """Equally spaced thicknesses, as `PlaneWaveEngine.run` takes them: how many, and periods of the crystal between."""

    planes: int
    periods_per_plane: int


@dataclass(frozen=True)
class TrialAperture:
    """An aperture, the plane waves that compute it, and the patterns that it stands for.

    Attributes
    ----------
    engine : PlaneWaveEngine
        Plane waves through the crystal.
    aperture : Aperture
        Few directions that fill the aperture, its mistilt, and its beams.
    limits : PatternLimits
        Largest thickness, aperture, mistilt and angle.
    """

    engine: PlaneWaveEngine
    aperture: Aperture
    limits: PatternLimits

    @classmethod
    def of(cls, slices: SlicePotentials, limits: PatternLimits) -> TrialAperture:
        """The aperture of a crystal."""
        aperture = sample_aperture(
            slices,
            alpha_mrad=limits.alpha_max_mrad,
            mistilt_mrad=mistilt_off_mirrors(limits.tau_max_mrad),
            field_mrad=limits.max_angle_mrad,
        )
        return cls(PlaneWaveEngine(slices, propagator=limits.propagator), aperture, limits)

    @property
    def mrad_per_inverse_a(self) -> float:
        """Angle of a spatial frequency of 1/Å [mrad]."""
        return self.engine.mrad_per_inverse_a

    @property
    def largest_thickness(self) -> ThicknessPlanes:
        """One plane below the entrance surface, at the largest thickness."""
        return ThicknessPlanes(1, whole_periods(self.engine.slices.period_a, self.limits.thickness_max_nm))

    def refined(self, slices: SlicePotentials) -> TrialAperture:
        """The same directions and beams through other slices of the same crystal."""
        return TrialAperture(PlaneWaveEngine(slices, propagator=self.limits.propagator), self.aperture, self.limits)

    def run(self, planes: ThicknessPlanes) -> Rocking:
        """Diffraction of every direction of the aperture."""
        return self.engine.run(self.aperture.q, beams=self.aperture.beams, **planes._asdict())

    def run_at(self, directions_mrad: np.ndarray, planes: ThicknessPlanes) -> np.ndarray:
        """Intensities of the beams for other directions, mistilt included; shape (plane + 1, direction, beam).

        Parameters
        ----------
        directions_mrad : numpy.ndarray, shape (direction, 2)
            Incident directions in the crystal's frame [mrad].
        planes : ThicknessPlanes
            Where to record.
        """
        q = directions_mrad / self.mrad_per_inverse_a
        return self.engine.run(q, beams=self.aperture.beams, **planes._asdict()).intensity

    def patterns(self, rocking: Rocking) -> np.ndarray:
        """Fraction of the beam per pixel of the field of view, shape (plane + 1, pixel)."""
        return self.aperture.patterns(rocking.intensity)

    def seen(self, directions_mrad: np.ndarray) -> np.ndarray:
        """Whether a beam of a direction falls into the field of view; bool, shape (..., beam).

        Parameters
        ----------
        directions_mrad : numpy.ndarray, shape (..., 2)
            Incident directions in the crystal's frame, mistilt included [mrad].
        """
        leaving = (directions_mrad - self.aperture.mistilt_mrad)[..., None, :] + self.aperture.beams_mrad
        return np.asarray(np.linalg.norm(leaving, axis=-1) <= self.limits.max_angle_mrad)

    def even_directions(self, count: int, *, turn: float = 0.0) -> np.ndarray:
        """Directions evenly spread over the aperture, its mistilt included [mrad], shape (count, 2)."""
        return even_directions(count, self.limits.alpha_max_mrad, turn=turn) + self.aperture.mistilt_mrad


def even_directions(count: int, radius_mrad: float, *, turn: float = 0.0) -> np.ndarray:
    """Directions that cover a disk evenly, on a sunflower's spiral [mrad], shape (count, 2).

    Errors of interpolation differ by orders of magnitude between directions of an aperture; random ones would find a
    different mean with every draw.

    Parameters
    ----------
    count : int
    radius_mrad : float
        Of the disk [mrad].
    turn : float
        Turns the spiral [rad]: other directions, equally even.
    """
    index = np.arange(count)
    radius, azimuth = radius_mrad * np.sqrt((index + 0.5) / count), index * np.pi * (3 - np.sqrt(5)) + turn
    return np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth)], axis=1)
