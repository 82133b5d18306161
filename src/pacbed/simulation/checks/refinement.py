"""One numerical choice of a rocking table refined at a time: how much a pattern changes, and what to choose instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pacbed.crystal.potentials import SlicePotentials, whole_periods
from pacbed.simulation.structure.interpolation import direction_error, every_period, plane_error
from pacbed.simulation.structure.pitch_search import direction_steps
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.slicing import Slicing
from pacbed.simulation.structure.trial_aperture import ThicknessPlanes, TrialAperture

MEAN_LOSS, WORST_LOSS = 0.02, 0.05  # what a grid chosen by hand may lose to the band limit
MIDDLE_NM = 50.0
PATCHES = 12  # directions of the aperture at which interpolation is tried
PLANE_CURVES = 8  # of them, at which interpolation along thickness is tried
PITCH_ORDER = 4  # the error of a cubic spline grows with this power of the distance


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    name, what : str
        Name of the check, and what its figures are.
    values : sequence of float
        A figure for each thickness.
    tolerance : float
        Largest accepted figure.
    line : str
        A better choice, as a line of the configuration.
    """

    name: str
    what: str
    values: Sequence[float]
    tolerance: float
    line: str

    @property
    def worst(self) -> float:
        """The largest figure."""
        return float(max(self.values))

    @property
    def good(self) -> bool:
        """Whether every figure keeps the tolerance."""
        return self.worst <= self.tolerance

    def as_json(self) -> dict[str, Any]:
        """Plain values; the proposal is empty where nothing need change."""
        return {
            "name": self.name,
            "what": self.what,
            "values": [float(value) for value in self.values],
            "worst": self.worst,
            "tolerance": float(self.tolerance),
            "proposal": [] if self.good else [self.line],
        }


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
        deepest = whole_periods(slices.period_a, limits.thickness_max_nm)
        count = max(1, round(deepest * slices.period_a / (10 * MIDDLE_NM)))
        planes = ThicknessPlanes(count, max(1, deepest // count))
        trial = TrialAperture.of(slices, limits)
        rocking = trial.run(planes)
        return cls(trial, planes, sorted({1, count}), trial.patterns(rocking), rocking.lost)

    @property
    def slices(self) -> SlicePotentials:
        """The crystal."""
        return self.trial.engine.slices

    @property
    def thicknesses_nm(self) -> np.ndarray:
        """Thicknesses that are compared, shape (compared,) [nm]."""
        return np.array(self.compared) * self.planes.periods_per_plane * self.slices.period_a / 10

    def differences(self, finer: SlicePotentials) -> list[float]:
        """Relative L2 between the patterns and those of other slices, one for each thickness compared."""
        trial = self.trial.refined(finer)
        ours, theirs = (patterns[self.compared] for patterns in (self.patterns, trial.patterns(trial.run(self.planes))))
        return list(np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1))


def check_slice_depth(reference: Reference, slicing: Slicing) -> Finding:
    """Twice as many slices."""
    finer = replace(slicing, slices=2 * slicing.slices).on_grid(reference.slices.grid)
    line = f"slice_depth_nm: {finer.slice_depth_a / 10:.4f}"
    what = "relative L2 against half the depth"
    return Finding("slice_depth", what, reference.differences(finer), reference.trial.limits.tolerance, line)


def check_grid(reference: Reference, slicing: Slicing) -> Finding:
    """A grid with half as many points again along both vectors."""
    finer = _finer_grid(reference.slices)
    values = reference.differences(slicing.on_grid(finer))
    what = "relative L2 against a 1.5 times finer grid"
    return Finding("grid", what, values, reference.trial.limits.tolerance, f"grid_px: {list(finer)}")


def check_losses(reference: Reference) -> list[Finding]:
    """What the band limit takes: mean over the aperture, and in the worst direction."""
    lost, line = reference.lost[reference.compared], f"grid_px: {list(_finer_grid(reference.slices))}"
    mean, worst = lost.mean(axis=1).tolist(), lost.max(axis=1).tolist()
    what = "fraction of the beam lost to the band limit"
    return [
        Finding("mean_loss", f"{what}, mean", mean, MEAN_LOSS, line),
        Finding("worst_loss", f"{what}, worst", worst, WORST_LOSS, line),
    ]


def _finer_grid(slices: SlicePotentials) -> tuple[int, int]:
    x, y = (2 * int(np.ceil(0.75 * points)) for points in slices.grid)
    return x, y


def check_direction_pitch(reference: Reference, pitch_mrad: float) -> Finding:
    """Interpolation between directions that are so far apart [mrad] against direct computation."""
    trial, limits = reference.trial, reference.trial.limits
    steps, taken = direction_steps(reference.slices, limits, pitch_mrad)
    centers = trial.even_directions(PATCHES)
    errors = direction_error(trial, steps, centers, planes=reference.planes, patterns=reference.patterns)
    values = errors[reference.compared]
    # From the pitch taken, not from the limit asked for.
    line = f"direction_pitch_mrad: {taken * _shorter(values.max(), limits.tolerance):.3f}"
    what = "relative L2 of a pattern interpolated between directions"
    return Finding("direction_pitch", what, values.tolist(), limits.tolerance, line)


def check_plane_spacing(reference: Reference, spacing_nm: float) -> Finding:
    """Interpolation between thickness planes that are so far apart [nm] against direct computation."""
    trial, limits, period_a = reference.trial, reference.trial.limits, reference.slices.period_a
    every = every_period(trial, trial.even_directions(PATCHES)[:PLANE_CURVES])
    error = plane_error(every, period_a, spacing_nm, limits.thickness_max_nm)
    line = f"plane_spacing_nm: {max(period_a / 10, spacing_nm * _shorter(error, limits.tolerance)):.3f}"
    what = "relative L2 of a pattern interpolated between thickness planes"
    return Finding("thickness_planes", what, [error], limits.tolerance, line)


def _shorter(error: float, tolerance: float) -> float:
    """What a distance of nodes must be multiplied with to keep the tolerance, with some to spare."""
    return float(0.9 * min(1.0, (tolerance / max(error, 1e-12)) ** (1 / PITCH_ORDER)))
