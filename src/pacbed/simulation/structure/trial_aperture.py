"""Where numerical choices are tried: the widest aperture of the grid, at its largest mistilt, and its patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pacbed.crystal.potentials import SlicePotentials, whole_periods
from pacbed.simulation.multislice.aperture import Aperture, mistilt_off_mirrors, sample_aperture
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine, Rocking
from pacbed.simulation.structure.settings import PatternLimits

MIDDLE_NM = 50.0  # beside the largest thickness, where patterns are compared [nm]


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


@dataclass(frozen=True)
class Reference:
    """The patterns that a system's numerics give, at about 50 nm and at the largest thickness.

    Attributes
    ----------
    trial : TrialAperture
        The widest aperture at the largest mistilt.
    planes : ThicknessPlanes
        Where waves are recorded.
    compared : sequence of int
        Planes that are compared, 0 being the entrance surface.
    patterns : numpy.ndarray, shape (plane + 1, pixel)
        The patterns.
    lost : numpy.ndarray, shape (plane + 1, direction)
        Fraction of the beam lost to the band limit.
    """

    trial: TrialAperture
    planes: ThicknessPlanes
    compared: Sequence[int]
    patterns: np.ndarray
    lost: np.ndarray

    @classmethod
    def of(cls, slices: SlicePotentials, limits: PatternLimits) -> Reference:
        """Compute the patterns of a crystal."""
        planes = recorded_planes(slices.period_a, limits.thickness_max_nm)
        trial = TrialAperture.of(slices, limits)
        rocking = trial.run(planes)
        return cls(trial, planes, sorted({1, planes.planes}), trial.patterns(rocking), rocking.lost)

    @property
    def slices(self) -> SlicePotentials:
        """The crystal."""
        return self.trial.engine.slices

    @property
    def thicknesses_nm(self) -> np.ndarray:
        """Thicknesses that are compared, shape (compared,) [nm]."""
        return np.array(compared_nm(self.slices.period_a, self.trial.limits.thickness_max_nm))

    def differences(self, finer: SlicePotentials) -> list[float]:
        """Relative L2 between the patterns and those of other slices, one for each thickness compared."""
        trial = self.trial.refined(finer)
        ours, theirs = (patterns[self.compared] for patterns in (self.patterns, trial.patterns(trial.run(self.planes))))
        return list(np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1))


def recorded_planes(period_a: float, thickness_max_nm: float) -> ThicknessPlanes:
    """Planes about 50 nm apart down to the largest thickness [nm]; `period_a` is that of the crystal [Å]."""
    deepest = whole_periods(period_a, thickness_max_nm)
    count = max(1, round(deepest * period_a / (10 * MIDDLE_NM)))
    return ThicknessPlanes(count, max(1, deepest // count))


def compared_nm(period_a: float, thickness_max_nm: float) -> list[float]:
    """The thicknesses that are compared [nm]: about 50 nm, and the largest."""
    planes = recorded_planes(period_a, thickness_max_nm)
    return [number * planes.periods_per_plane * period_a / 10 for number in sorted({1, planes.planes})]
