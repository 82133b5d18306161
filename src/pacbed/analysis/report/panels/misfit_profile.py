"""Misfit against thickness: how well a pattern can be matched anywhere, so that rivals of the answer are seen.

Far from the answer the library's entry that matches best at each thickness, of whatever mistilt and rotation, is
compared with the pattern as a fit compares it, with the effects that the answer has in it; near the answer so is the
answer with its thickness exchanged; between, the better of the two counts. Nothing is refined: a curve of refined
matches lies at or below this one, and touches it at the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pacbed.analysis.attempts.refining import forward_model
from pacbed.analysis.fit.matching.match import Matches
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import MIDDLE
from pacbed.analysis.predict import Analysis

BESIDE_NM = np.arange(-5.0, 5.01, 0.5)  # from the answer, where the curve is drawn finely
# Within 5 nm no entry of the library matched any of 24 refined answers better, of four crystals. Beyond 15 nm the
# exchanged answer lowers a curve that is two to seven times the least by some per cent, and costs as much as the rest.
ENTRIES_BEYOND_NM, EXCHANGED_WITHIN_NM = 5.0, 15.0


class Rival(NamedTuple):
    """Another place where a refinement ended.

    Attributes
    ----------
    thickness_nm : float
    ratio : float
        Its misfit over that of the answer.
    parameters : PatternParameters or None
        All of them, where they are known.
    """

    thickness_nm: float
    ratio: float
    parameters: PatternParameters | None = None


class MisfitProfile(NamedTuple):
    """Misfit against thickness, in units of the least.

    Attributes
    ----------
    thickness_nm : float array, shape (thickness,)
        Ascending [nm].
    ratio : float array, shape (thickness,)
        Misfit over the least, 1 at the best.
    rivals : tuple of Rival
        Ends of refinements elsewhere; none without a refinement.
    places : tuple of PatternParameters
        What was compared at each thickness.
    least : float
        The least misfit, by which the others are divided.
    """

    thickness_nm: np.ndarray
    ratio: np.ndarray
    rivals: tuple[Rival, ...]
    places: tuple[PatternParameters, ...] = ()
    least: float = 1.0


def misfit_profile(analysis: Analysis) -> MisfitProfile:
    """Compare the pattern with the best match at each thickness, at the resolution at which rivals are judged."""
    model = forward_model(analysis.ready, MIDDLE)
    if analysis.refinement is not None:
        model = analysis.refinement.seen_by(model)
    found: dict[float, tuple[float, PatternParameters]] = {}
    for at in _places(analysis.parameters, analysis.matches, refined=analysis.refinement is not None):
        misfit = model.misfit(model.residual(at))
        if at.thickness_nm not in found or misfit < found[at.thickness_nm][0]:
            found[at.thickness_nm] = misfit, at
    thickness = np.array(sorted(found))
    misfits, places = zip(*(found[float(value)] for value in thickness), strict=True)
    least = min(misfits)
    rivals: tuple[Rival, ...] = ()
    if analysis.refinement is not None:
        best = analysis.refinement.best_at_middle.misfit
        rivals = tuple(
            Rival(one.parameters.thickness_nm, one.misfit / best, one.parameters) for one in analysis.refinement.others
        )
    return MisfitProfile(thickness, np.array(misfits) / least, rivals, places, least)


def _places(at: PatternParameters, matches: Matches, *, refined: bool) -> Iterator[PatternParameters]:
    """Where the pattern is compared: best entries of the library, and the answer at other thicknesses."""
    library_nm, first = np.unique(matches.thickness_nm, return_index=True)
    away = np.abs(library_nm - at.thickness_nm)
    for index in first[away > ENTRIES_BEYOND_NM] if refined else first:
        yield matches[int(index)].parameters
    ends = min(at.thickness_nm, library_nm[0]), max(at.thickness_nm, library_nm[-1])
    fine = np.clip(at.thickness_nm + BESIDE_NM, *ends)
    for value in np.union1d(library_nm[away <= EXCHANGED_WITHIN_NM], fine):
        yield replace(at, thickness_nm=float(value))
