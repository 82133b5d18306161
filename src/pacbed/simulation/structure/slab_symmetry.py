"""Which symmetry operations of the crystal a slab has, measured with plane waves."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pacbed.crystal.beam_group import UprightOperations
from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.lattice import cone_nodes, on_reciprocal_indices
from pacbed.crystal.potentials import SlicePotentials, whole_periods
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine

log = logging.getLogger(__name__)
TOLERANCE = 1e-3  # relative L2 over all beams of the worst direction; a rendered pattern averages over hundreds
# Without a part along the beam, every slab has the operation; only the grid may break it, where its lines lie askew to
# the operation: 1.3e-3 on the 120 degree cell of beryl. A wrong operation shows with more than 1e-2.
GRID_TOLERANCE = 3e-3
DIRECTIONS = 10
SEED = 0
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class GroupFindings:
    """How well each operation that keeps the beam direction holds for a slab.

    Attributes
    ----------
    candidates : UprightOperations
        The operations.
    worst_l2 : numpy.ndarray, shape (operation,)
        Relative L2 between I(W G, W q) and I(G, q) over all beams at the largest thickness, worst of all directions.
    kept : numpy.ndarray of bool, shape (operation,)
        The verified beam group.
    """

    candidates: UprightOperations
    worst_l2: np.ndarray
    kept: np.ndarray

    def as_json(self) -> dict[str, Any]:
        """Plain values for a file beside the slices."""
        limits = tolerances(self.candidates)
        rows = zip(self.candidates.matrices, self.candidates.lifts, self.worst_l2, limits, self.kept, strict=True)
        return {
            "schema_version": SCHEMA_VERSION,
            "directions": DIRECTIONS,
            "operations": [
                {
                    "matrix": matrix.tolist(),
                    "lift_periods": float(lift),
                    "worst_l2": float(worst),
                    "tolerance": float(limit),
                    "kept": bool(kept),
                }
                for matrix, lift, worst, limit, kept in rows
            ],
        }


def verified_group(
    slices: SlicePotentials,
    candidates: UprightOperations,
    *,
    thickness_max_nm: float,
    cone_mrad: float,
    propagator: str,
) -> tuple[SlicePotentials, GroupFindings]:
    """Keep those operations that plane waves confirm.

    A slab need not have the symmetry of its crystal: screws and glides along the beam hold only if the surfaces match,
    and slices may break what they cut. Operations that miss the tolerance are dropped; of the others a set that is a
    group is kept, built up from the operations that hold best.

    Parameters
    ----------
    slices : SlicePotentials
        One period of the crystal.
    candidates : UprightOperations
        Of the same crystal.
    thickness_max_nm, cone_mrad : float
        Largest thickness [nm] and incident angle [mrad]: where symmetry is broken most.
    propagator : {"exact", "fresnel"}
        Free-space propagation between slices.

    Returns
    -------
    slices : SlicePotentials
        With the verified group, and one operation for each equivalent termination.
    findings : GroupFindings
    """
    worst = _deviations(slices, candidates.matrices, thickness_max_nm, cone_mrad, propagator)
    group = largest_group(candidates.matrices, worst / tolerances(candidates))
    kept = np.array([tuple(matrix.ravel()) in group for matrix in candidates.matrices])
    _log_operations(candidates, worst, kept)
    surfaces = _terminations(candidates, kept)
    result = replace(
        slices,
        group=candidates.matrices[kept],
        terminations=candidates.matrices[surfaces],
        termination_lifts=candidates.lifts[surfaces],
    )
    return result, GroupFindings(candidates, worst, kept)


def _log_operations(candidates: UprightOperations, worst: np.ndarray, kept: np.ndarray) -> None:
    for matrix, lift, figure, holds in zip(candidates.matrices, candidates.lifts, worst, kept, strict=True):
        verdict = "kept" if holds else "dropped"
        log.info("operation %s, lift %.3f periods: relative L2 %.1e, %s", matrix.tolist(), lift, figure, verdict)


def tolerances(candidates: UprightOperations) -> np.ndarray:
    """Largest accepted deviation of each operation, shape (operation,)."""
    along = np.abs(candidates.lifts - np.round(candidates.lifts)) > 1e-4
    return np.where(along, TOLERANCE, GRID_TOLERANCE)


def _deviations(
    slices: SlicePotentials, matrices: np.ndarray, thickness_max_nm: float, cone_mrad: float, propagator: str
) -> np.ndarray:
    """Relative L2 between I(W G, W q) and I(G, q), over all beams, of the worst direction; shape (operation,)."""
    engine = PlaneWaveEngine(slices, propagator=propagator)
    periods = whole_periods(slices.period_a, thickness_max_nm)
    beams = cone_nodes(slices.reciprocal, slices.band_limit)
    rng = np.random.default_rng(SEED)
    radius, azimuth = cone_mrad * np.sqrt(rng.uniform(size=DIRECTIONS)), rng.uniform(0, 2 * np.pi, DIRECTIONS)
    q = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth)], axis=1) / mrad_per_inverse_a(slices.energy_ev)

    # Beyond the band limit is nothing, or a frequency of the grid that stands for something else.
    inside = np.linalg.norm(q[:, None] + beams @ slices.reciprocal, axis=2) < slices.band_limit

    def intensity(matrix: np.ndarray) -> np.ndarray:
        dual = on_reciprocal_indices(matrix[None])[0]
        images = np.linalg.solve(slices.reciprocal.T, q.T).T @ dual.T @ slices.reciprocal
        run = engine.run(images, beams=beams @ dual.T, planes=1, periods_per_plane=periods)
        return run.intensity[-1] * inside.astype(float)

    straight = intensity(np.eye(2))
    size = np.linalg.norm(straight, axis=1)
    return np.array([(np.linalg.norm(intensity(w) - straight, axis=1) / size).max() for w in matrices])


def largest_group(matrices: np.ndarray, shares: np.ndarray) -> set[tuple[int, ...]]:
    """A group all of whose members use up at most their tolerance; the best operations generate it.

    Parameters
    ----------
    matrices : numpy.ndarray of int, shape (operation, 2, 2)
        The candidates, a group together.
    shares : numpy.ndarray, shape (operation,)
        What each uses up of its tolerance; more than 1 is too much.

    Returns
    -------
    set of tuple of int
        The members' matrices, row by row.
    """
    passed = {tuple(matrix.ravel()) for matrix, share in zip(matrices, shares, strict=True) if share <= 1}
    group: set[tuple[int, ...]] = {(1, 0, 0, 1)}
    for index in np.argsort(shares, kind="stable"):
        grown = _closure(group | {tuple(matrices[index].ravel())})
        if grown <= passed | {(1, 0, 0, 1)}:
            group = grown
    return group


def _closure(members: set[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """All products of some matrices, the matrices among them."""
    while True:
        squares = [np.reshape(member, (2, 2)) for member in members]
        grown = members | {tuple(int(value) for value in (a @ b).ravel()) for a in squares for b in squares}
        if grown == members:
            return members
        members = grown


def _terminations(candidates: UprightOperations, kept: np.ndarray) -> list[int]:
    """One operation of each coset of the kept group, the identity first: the slabs the others turn this one into."""
    group, seen, chosen = candidates.matrices[kept], set(), []
    for index, matrix in enumerate(candidates.matrices):
        if tuple(matrix.ravel()) not in seen:
            chosen.append(index)
            seen |= {tuple((member @ matrix).ravel()) for member in group}
    return chosen
