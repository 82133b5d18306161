"""The largest distance between incident directions whose spline still meets direct computation."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np

from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.structure.interpolation import direction_error
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.trial_aperture import Reference
from pacbed.simulation.table.directions import direction_grid, starting_pitch_mrad

log = logging.getLogger(__name__)
CENTERS = 16  # sets of so many differ by a tenth or two
AIM, LIMIT = 0.7, 0.75  # of the tolerance: what is aimed at, and what is accepted; other directions differ
ORDER, LEAST = 7.0, 2.5  # powers of the pitch that the error grows with: as long as none is measured, and at the least
ROUNDS = 6


class MeasuredPitch(NamedTuple):
    """Upper limit of the distance between directions [mrad], and the relative L2 error measured with it."""

    pitch_mrad: float
    relative_l2: float


def measure_pitch(slices: SlicePotentials, reference: Reference) -> MeasuredPitch:
    """Find the largest pitch at which a pattern of the largest thickness keeps well within the tolerance.

    Parameters
    ----------
    slices : SlicePotentials
        The crystal, with its verified symmetry.
    reference : Reference
        The patterns to be met.

    Raises
    ------
    SimulationError
        No pitch is found.
    """
    trial, limits = reference.trial, reference.trial.limits
    centers = trial.even_directions(CENTERS, turn=1.0)
    start_mrad = starting_pitch_mrad(slices.energy_ev, limits.thickness_max_nm)
    best: MeasuredPitch | None = None
    before: MeasuredPitch | None = None
    failed_mrad = np.inf
    steps, taken = direction_steps(slices, limits, min(start_mrad, limits.alpha_max_mrad / 4))
    for _ in range(ROUNDS):
        errors = direction_error(trial, steps, centers, planes=reference.planes, patterns=reference.patterns)
        error = float(errors[reference.compared].max())
        log.info("pitch %.3f mrad: relative L2 %.1e between directions", taken, error)
        if error <= LIMIT * limits.tolerance:
            best = MeasuredPitch(taken * (1 + 1e-6), error)
        else:
            failed_mrad = taken
        order, before = _order(before, MeasuredPitch(taken, error)), MeasuredPitch(taken, error)
        for power in (order, LEAST):
            factor = float(np.clip((AIM * limits.tolerance / max(error, 1e-12)) ** (1 / power), 0.5, 1.8))
            steps, asked = direction_steps(slices, limits, min(factor * taken, limits.alpha_max_mrad / 4))
            if best is None or best.pitch_mrad < asked < failed_mrad:
                break
        else:
            break  # whole numbers of steps: there is none between
        taken = asked
    if best is not None:
        return best
    raise SimulationError(
        f"direction_pitch_mrad: auto ended at {taken:.3f} mrad with an error of {error:.1e}, accepted: "
        f"{LIMIT * limits.tolerance:.1e}; give a pitch by hand"
    )


def _order(before: MeasuredPitch | None, now: MeasuredPitch) -> float:
    """Power of the pitch that the error grows with, from two measurements."""
    if before is None or before.pitch_mrad == now.pitch_mrad or min(before.relative_l2, now.relative_l2) <= 0:
        return ORDER
    growth = np.log(now.relative_l2 / before.relative_l2) / np.log(now.pitch_mrad / before.pitch_mrad)
    return float(np.clip(growth, LEAST, ORDER))


class DirectionSteps(NamedTuple):
    """The two steps between a table's directions as rows, shape (2, 2), and the length of the longer one [mrad]."""

    steps_mrad: np.ndarray
    longest_mrad: float


def direction_steps(slices: SlicePotentials, limits: PatternLimits, pitch_mrad: float) -> DirectionSteps:
    """Steps between directions that a table takes for an upper limit of their lengths [mrad].

    They are whole fractions of the reciprocal lattice vectors, and shorter than the limit in general.
    """
    steps = direction_grid(slices, cone_mrad=limits.alpha_max_mrad, pitch_mrad=pitch_mrad).pitch_mrad
    return DirectionSteps(steps, float(np.linalg.norm(steps, axis=1).max()))
