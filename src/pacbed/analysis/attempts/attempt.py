"""What networks, library match and least squares make of one hand of a pattern."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from pacbed.analysis.attempts.orientations import hands, is_polar, refine_polarities
from pacbed.analysis.attempts.refining import refine_from
from pacbed.analysis.attempts.starts import asked_starts, proposed_starts
from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.networks import NetworkAnswers
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.steps import Prepared, network_answers


@dataclass
class Attempt:
    """What one hand of the pattern led to.

    Attributes
    ----------
    ready : Prepared
        The pattern, with this hand among its conditions.
    answers : NetworkAnswers or None
        None in a bundle without networks.
    refinement : Refinement or None
        None where the networks alone have answered.
    turned : Refinement or None
        Of the crystal turned by 180 degrees, which fits less well; None where both are one.
    """

    ready: Prepared
    answers: NetworkAnswers | None
    refinement: Refinement | None = None
    turned: Refinement | None = None

    @property
    def misfit(self) -> float:
        """How badly it fits: of the refinement, else of the library match."""
        return float(self.ready.matches.mismatch[0]) if self.refinement is None else self.refinement.best.misfit


def attempts(ready: Prepared, options: PredictOptions) -> list[Attempt]:
    """Try every hand that is not known, the best first."""
    tried = (replace(ready.conditions, mirrored=hand) for hand in hands(ready.bundle.table, options.mirrored))
    found = [_attempt(replace(ready, conditions=conditions), options) for conditions in tried]
    return sorted(found, key=lambda one: one.misfit) if len(found) > 1 else found


def _attempt(ready: Prepared, options: PredictOptions) -> Attempt:
    begun = Attempt(ready, network_answers(ready))
    if not options.refine:
        return begun
    if options.refine_from_nm:
        starts = asked_starts(ready.matches, options.refine_from_nm)
    else:
        starts = proposed_starts(ready.matches, begun.answers)
    found = refine_polarities(partial(refine_from, ready), starts, polar=is_polar(ready.bundle.table))
    begun.refinement, begun.turned = found.best, found.other
    return begun
