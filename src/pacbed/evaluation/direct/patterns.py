"""Patterns of many apertures and thicknesses at once: every plane wave is propagated once and shared by all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import bad_value
from pacbed.evaluation.direct.camera import DirectPattern
from pacbed.evaluation.direct.lattice import DirectionLattice
from pacbed.logs import progress
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine

DIRECTIONS_PER_BATCH = 64
PITCH_MRAD = 0.4  # largest step between directions


@dataclass(frozen=True)
class DirectNumerics:
    """How patterns are summed.

    Attributes
    ----------
    field_mrad : float
        Largest scattered angle [mrad].
    propagator : str
        Free-space propagation between slices, "exact" or "fresnel".
    pitch_mrad : float
        Largest step between directions [mrad].
    """

    field_mrad: float
    propagator: str = "exact"
    pitch_mrad: float = PITCH_MRAD


def whole_thickness_nm(slices: SlicePotentials, thickness_nm: float, *, deepest_nm: float) -> float:
    """The nearest thickness of whole periods, at least one, that is not beyond the deepest [nm]."""
    period_nm = slices.period_a / 10
    return max(1, min(round(thickness_nm / period_nm), int(deepest_nm / period_nm + 1e-9))) * period_nm


def cone_of(parameters: Sequence[PatternParameters]) -> float:
    """Largest incident angle of some patterns, aperture edge included [mrad]."""
    return max(float(np.hypot(*at.mistilt_mrad)) + at.convergence_mrad for at in parameters) + PITCH_MRAD


def direct_patterns(
    terminations: Sequence[SlicePotentials],
    parameters: Sequence[PatternParameters],
    numerics: DirectNumerics,
    *,
    rng: np.random.Generator,
) -> list[DirectPattern]:
    """Sum the plane waves of every pattern.

    Parameters
    ----------
    terminations : sequence of SlicePotentials
        The crystal, once for each of the surfaces that are averaged; of no thermal model with displaced atoms.
    parameters : sequence of PatternParameters
        Convergence angle, mistilt and thickness of each pattern, the latter of whole periods.
    numerics : DirectNumerics
    rng : numpy.random.Generator
        Places the lattice of directions.

    Returns
    -------
    list of DirectPattern

    Raises
    ------
    ParameterError
        A thickness is not of whole periods.
    """
    slices = terminations[0]
    planes = np.array([_plane(slices, at.thickness_nm) for at in parameters])
    lattice = DirectionLattice.of(
        slices,
        cone_mrad=cone_of(parameters),
        field_mrad=numerics.field_mrad,
        pitch_mrad=numerics.pitch_mrad,
        rng=rng,
    )
    lattice, shares = lit_part(lattice, parameters)
    sums = np.zeros((len(parameters), lattice.box[0] * lattice.box[1]))
    engines = [PlaneWaveEngine(one, propagator=numerics.propagator) for one in terminations]
    starts = range(0, len(lattice.nodes), DIRECTIONS_PER_BATCH)
    for start in progress(starts, total=len(starts), label="batches of directions"):
        chosen = slice(start, start + DIRECTIONS_PER_BATCH)
        runs = [
            engine.run(lattice.q[chosen], beams=lattice.beams, planes=int(planes.max()), periods_per_plane=1).intensity
            for engine in engines
        ]
        scattered = runs[0] if len(runs) == 1 else np.mean(runs, axis=0)
        add_sums(sums, lattice.targets(chosen), shares[:, chosen], [scattered[plane] for plane in planes])
    images = sums.reshape(len(parameters), *lattice.box)
    return [DirectPattern(lattice, image, at.mistilt_mrad) for image, at in zip(images, parameters, strict=True)]


class Lit(NamedTuple):
    """Directions that carry some of the beam of a pattern, and the share of it, shape (pattern, direction)."""

    lattice: DirectionLattice
    shares: np.ndarray


def lit_part(lattice: DirectionLattice, parameters: Sequence[PatternParameters]) -> Lit:
    """The directions inside the aperture of any pattern."""
    shares = np.stack([lattice.aperture(at.convergence_mrad, at.mistilt_mrad) for at in parameters])
    lit = shares.any(axis=0)
    return Lit(replace(lattice, nodes=lattice.nodes[lit]), shares[:, lit])


def add_sums(sums: np.ndarray, targets: np.ndarray, shares: np.ndarray, intensity: Sequence[np.ndarray]) -> None:
    """Add what some directions scatter to the sums of several patterns, in place.

    Parameters
    ----------
    sums : ndarray, shape (pattern, point)
    targets : ndarray of int, shape (direction, ...)
        Point that each beam reaches, or -1.
    shares : ndarray, shape (pattern, direction)
        Share of each pattern's beam that a direction carries.
    intensity : sequence of ndarray, each of shape (direction, ...)
        Fraction of the direction's wave, for each pattern.
    """
    for total, share, scattered in zip(sums, shares, intensity, strict=True):
        lit = np.flatnonzero(share)
        if len(lit) == 0:
            continue
        where = targets[lit].ravel()
        weight = (scattered[lit] * share[lit].reshape(-1, *(1,) * (targets.ndim - 1))).ravel()
        total += np.bincount(where[where >= 0], weights=weight[where >= 0], minlength=len(total))


def _plane(slices: SlicePotentials, thickness_nm: float) -> int:
    plane = round(10 * thickness_nm / slices.period_a)
    if plane < 1 or abs(plane * slices.period_a / 10 - thickness_nm) > 1e-6:
        raise bad_value("thickness_nm", thickness_nm, f"a multiple of the period, {slices.period_a / 10:.5g} nm")
    return plane
