"""The largest distance between thickness planes whose spline still meets direct computation."""

from __future__ import annotations

import logging
from typing import NamedTuple

from pacbed.crystal.potentials import SlicePotentials
from pacbed.simulation.structure.interpolation import WIDEST_NM, every_period, plane_error
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.trial_aperture import TrialAperture

log = logging.getLogger(__name__)
DIRECTIONS = 12
LIMIT = 0.4  # of the tolerance: along thickness errors do not average out, and directions and grid have theirs


class MeasuredSpacing(NamedTuple):
    """Upper limit of the distance between thickness planes [nm], and the relative L2 error measured with it."""

    spacing_nm: float
    relative_l2: float


def measure_spacing(slices: SlicePotentials, limits: PatternLimits) -> MeasuredSpacing:
    """Find the largest distance between planes that is good enough; whole periods of the crystal.

    Intensities oscillate with thickness, in heavy crystals within 5 nm and in light ones within 50 nm. One period
    always does, because nothing lies between its ends.

    Parameters
    ----------
    slices : SlicePotentials
        The crystal.
    limits : PatternLimits
        The patterns to be met.
    """
    trial = TrialAperture.of(slices, limits)
    every = every_period(trial, trial.even_directions(DIRECTIONS, turn=1.0))
    period_nm = slices.period_a / 10
    for periods in range(max(1, int(WIDEST_NM / period_nm)), 0, -1):
        spacing = periods * period_nm * (1 + 1e-6)
        error = plane_error(every, slices.period_a, spacing, limits.thickness_max_nm)
        log.info("planes %.3f nm apart: relative L2 %.1e between them", spacing, error)
        if error <= LIMIT * limits.tolerance:
            break
    return MeasuredSpacing(spacing, error)
