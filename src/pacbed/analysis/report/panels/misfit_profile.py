"""Misfit against thickness: how well a pattern can be matched anywhere, so that rivals of the answer are seen.

At each thickness of the library the entry that matches best, of whatever mistilt and rotation, is compared with the
pattern as a fit compares it, with the effects that the answer has in it, and so is the answer with its thickness
exchanged; the better of the two counts. Nothing is refined: a curve of refined matches lies at or below this one, and
touches it at the answer.
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
    for at in (*_best_entries(analysis.matches), *_beside(analysis.parameters, analysis.matches.thickness_nm)):
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


def _best_entries(matches: Matches) -> Iterator[PatternParameters]:
    """The best match of each thickness of the library."""
    for index in np.unique(matches.thickness_nm, return_index=True)[1]:
        yield matches[int(index)].parameters


def _beside(at: PatternParameters, library_nm: np.ndarray) -> Iterator[PatternParameters]:
    """The answer at other thicknesses: those of the library, shape (match,) [nm], and finely beside its own."""
    low, high = min(at.thickness_nm, float(library_nm.min())), float(library_nm.max())
    near = np.clip(at.thickness_nm + BESIDE_NM, low, max(high, at.thickness_nm))
    for value in np.concatenate([np.unique(library_nm), near]):
        yield replace(at, thickness_nm=float(value))
