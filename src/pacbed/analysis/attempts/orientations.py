"""Which way round the crystal lies: its polarity, and its hand.

A crystal without a twofold axis along the beam gives another pattern when it is turned by 180 degrees: GaAs [110] or
GaN [11-20] have a polarity. One without a mirror line gives another pattern when the camera mirrors the image. Library
match and networks propose one of each, so the other is refined as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.result import Alternative
from pacbed.simulation.table.rocking_table import RockingTable

DECIDED_STD = 3.0  # by so many standard deviations an orientation must fit better to count as known
DECIDED_RATIO = 1.01  # and by such a ratio of misfits, since no model is perfect

LEAST_POLAR = 0.04  # excess of the misfit of a crystal that lies the other way round, for its polarity to be judged


class Refine(Protocol):
    """Least squares from some starts."""

    def __call__(self, starts: Sequence[PatternParameters]) -> Refinement:
        """Refine from at least one start."""


def hands(table: RockingTable, mirrored: bool | None) -> tuple[bool, ...]:
    """What to try for `mirrored`: what was given; else the two where the crystal has no mirror line, or False."""
    if mirrored is not None:
        return (mirrored,)
    return (False,) if table.has_mirror else (False, True)


def is_polar(table: RockingTable) -> bool:
    """Whether the crystal turned by 180 degrees about the beam gives another pattern."""
    return not any(np.array_equal(operation, -np.eye(2)) for operation in table.beam_group)


def turned(at: PatternParameters) -> PatternParameters:
    """The crystal turned by 180 degrees about the beam; the mistilt stays where it is in the image."""
    x, y = at.mistilt_mrad
    return replace(at, mistilt_mrad=(-x, -y), rotation_deg=(at.rotation_deg + 360) % 360 - 180)


class Polarities(NamedTuple):
    """Refinements of a crystal and of the crystal turned by 180 degrees.

    Attributes
    ----------
    best : Refinement
        The one that fits better.
    other : Refinement or None
        None where both are one.
    """

    best: Refinement
    other: Refinement | None


def refine_polarities(refine: Refine, starts: Sequence[PatternParameters], *, polar: bool) -> Polarities:
    """Refine, and where the crystal is polar once more from the end, with the crystal turned.

    Parameters
    ----------
    refine : callable
        Least squares from some starts.
    starts : sequence of PatternParameters
    polar : bool
        From `is_polar`.
    """
    first = refine(starts)
    if not polar:
        return Polarities(first, None)
    second = refine([turned(first.best.parameters)])
    return Polarities(first, second) if first.best.misfit <= second.best.misfit else Polarities(second, first)


def alternative(best: Refinement, other: Refinement, table: RockingTable) -> Alternative:
    """What the result says of an orientation that fits less well."""
    at, ratio = other.best.parameters, _misfit_ratio(best, other)
    return Alternative(
        thickness_nm=at.thickness_nm,
        rotation_deg=at.rotation_deg % table.rotation_period_deg,
        mirrored=other.model.mirrored,
        misfit_ratio=ratio,
        decided=ratio >= DECIDED_RATIO and advantage_std(best, other) >= DECIDED_STD,
    )


def polar_share(best: Refinement, other: Refinement) -> float | None:
    """How much of its polarity a pattern shows: what turning the crystal costs over what it would cost a polar one.

    Of 44 degraded patterns of GaAs, ZnO and GaN it is 0.56 to 1.3: the turned crystal is fitted as well, and may end
    elsewhere. Of Ge, which has none, it is 0 to 0.14 in the bundle of GaAs.

    Parameters
    ----------
    best, other : Refinement
        Of a polar crystal, and of the same turned by 180 degrees.

    Returns
    -------
    float or None
        Excess of the ratio of misfits over the expected excess [1]; None where that is too small to be told from noise.
    """
    model, at = best.model, best.best.parameters
    here = model.solve(at)
    change = model.render(turned(at)) - here.pattern
    contrast = model.misfit(model.projected(change[None], here)[:, 0])
    expected = np.hypot(1.0, contrast / max(best.best.misfit, 1e-9)) - 1
    if expected < LEAST_POLAR:
        return None
    return float((_misfit_ratio(best, other) - 1) / expected)


def advantage_std(best: Refinement, other: Refinement) -> float:
    """By how many standard deviations a fit is better than another: the root of their difference in chi-square.

    Chi-square counts the residual's independent pixels, those of its mask over the area of its autocorrelation, as the
    error bar does (`pacbed.analysis.fit.covariance`).
    """
    independent = best.model.cutout.mask.sum() / best.covariance.correlation_pixels
    return float(np.sqrt(max(0.0, independent * (_misfit_ratio(best, other) ** 2 - 1))))


def _misfit_ratio(best: Refinement, other: Refinement) -> float:
    return other.best.misfit / max(best.best.misfit, 1e-9)


def spread_nm(value_nm: float, tried: Sequence[Alternative | None]) -> float:
    """Standard deviation that an undecided orientation adds to a thickness: half the way to the farthest [nm]."""
    return max((abs(one.thickness_nm - value_nm) / 2 for one in tried if one and not one.decided), default=0.0)
