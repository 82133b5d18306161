"""Where a refinement starts: what library match and networks propose, or the thicknesses that the user names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pacbed.analysis.fit.matching.library import THICKNESS_STEP_NM
from pacbed.analysis.fit.matching.match import DISTINCT_MRAD, Matches, choose_starts
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.networks import NetworkAnswers
from pacbed.analysis.options import PredictOptions
from pacbed.bundle.reader import Bundle
from pacbed.errors import bad_value

STARTS = 4  # of the library match; the thickness network's candidates come on top
# Without networks: all that leave hardly more than the best, which the right one has always been among.
STARTS_ALONE, WITHIN_ALONE = 12, 1.3
STARTS_ASKED = 3  # mistilts at each thickness that the user names


def check_refine_from(bundle: Bundle, options: PredictOptions) -> None:
    """Refuse thicknesses that nothing can be refined from.

    Raises
    ------
    ParameterError
    """
    asked, low = options.refine_from_nm, bundle.meta.trained.thickness_nm[0]
    high = min(bundle.meta.trained.thickness_nm[1], bundle.table.thickness_max_nm)
    if asked and not options.refine:
        raise bad_value("refine_from", list(asked), "nothing together with --no-refine, which refines nothing")
    for value in asked:
        if not low <= value <= high:
            raise bad_value("refine_from", value, f"a thickness from {low:g} to {high:g} [nm] for this bundle")


def proposed_starts(matches: Matches, answers: NetworkAnswers | None) -> list[PatternParameters]:
    """The best matches and, with networks, the best near each of their candidates."""
    if answers is None:
        starts = choose_starts(matches, count=STARTS_ALONE, within=WITHIN_ALONE)
    else:
        starts = choose_starts(matches, count=STARTS, thickness_nm=[peak.value for peak in answers.candidates])
    return [start.parameters for start in starts]


def asked_starts(matches: Matches, thickness_nm: tuple[float, ...]) -> list[PatternParameters]:
    """The best matches near each of the thicknesses [nm], of distinct mistilts, moved to that thickness."""
    starts: list[PatternParameters] = []
    for value in thickness_nm:
        here: list[PatternParameters] = []
        for index in np.flatnonzero(np.abs(matches.thickness_nm - value) <= THICKNESS_STEP_NM):
            one = replace(matches[int(index)].parameters, thickness_nm=value)
            if all(one.differs(other, nm=np.inf, mrad=DISTINCT_MRAD) for other in here):
                here.append(one)
            if len(here) == STARTS_ASKED:
                break
        starts += here
    return starts
