"""The patterns on which numerical choices are judged: what a system's numerics give at two thicknesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pacbed.crystal.potentials import SlicePotentials, whole_periods
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.trial_aperture import ThicknessPlanes, TrialAperture

MIDDLE_NM = 50.0


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
