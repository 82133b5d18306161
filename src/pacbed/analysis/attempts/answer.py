"""From the attempts at a pattern to what its result says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pacbed.analysis import estimates
from pacbed.analysis.attempts.attempt import Attempt
from pacbed.analysis.attempts.judging import judge_asked, judge_orientation, judge_polarity
from pacbed.analysis.attempts.orientations import alternative, polar_share, spread_nm
from pacbed.analysis.attempts.refining import (
    absolute_intensity,
    forward_model,
    refine_from,
    rendered_check,
    restraints_of,
)
from pacbed.analysis.attempts.starts import proposed_starts
from pacbed.analysis.fit.matching.match import Standing, match, standing
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import COARSE, Refinement
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.result import BeamShares
from pacbed.analysis.steps import Prepared
from pacbed.analysis.vacuum.report import beam_shares, judge_intensity, judge_radius
from pacbed.analysis.verdicts.findings import Findings
from pacbed.analysis.verdicts.fit import judge_fit
from pacbed.analysis.verdicts.halo import halo_trial, judge_halo
from pacbed.analysis.verdicts.networks import judge_agreement, judge_alone
from pacbed.analysis.verdicts.picture import judge_precision
from pacbed.analysis.verdicts.rim import judge_rim


@dataclass(frozen=True)
class Answer:
    """The rendered pattern that stands for the recorded one.

    Attributes
    ----------
    values : dict
        Fields of the result that follow from it.
    parameters : PatternParameters
        Of the best match.
    noise : float
        Share of the misfit that noise accounts for.
    place : Standing or None
        Of its thickness among the matches; None where networks alone have answered.
    """

    values: dict[str, Any]
    parameters: PatternParameters
    noise: float
    place: Standing | None = None


def fitted(best: Attempt, others: Sequence[Attempt], findings: Findings, options: PredictOptions) -> Answer:
    """What least squares says of the pattern; `findings` receives what speaks against it."""
    ready, refinement = best.ready, best.refinement
    meta, table, conditions = ready.bundle.meta, ready.bundle.table, ready.conditions
    assert refinement is not None
    judge_fit(findings, refinement, meta, conditions, table)
    judge_rim(findings, refinement)
    judge_halo(findings, halo_trial(refinement, forward_model(ready, COARSE), restraints_of(ready)))
    if options.refine_from_nm:
        free = refine_from(ready, proposed_starts(ready.matches, best.answers))
        judge_asked(findings, meta.thresholds, refinement, free, options.refine_from_nm)
    values = estimates.refined_values(
        refinement, meta, period_deg=table.rotation_period_deg, mirrored=conditions.mirrored
    )
    at = refinement.best.parameters.thickness_nm
    other = {
        "polarity": None if best.turned is None else alternative(refinement, best.turned, table),
        "hand": next((alternative(refinement, one.refinement, table) for one in others if one.refinement), None),
    }
    judge_orientation(findings, meta.thresholds, at, **other)
    judge_polarity(findings, None if best.turned is None else polar_share(refinement, best.turned))
    values |= {"beam": _beam(ready, refinement, findings), **other}
    spread = spread_nm(at, list(other.values()))
    if spread > 0:
        found = values["thickness_nm"]
        unsure = float(np.hypot(found.std_effects, spread))
        values["thickness_nm"] = estimates.thickness(at, found.std_statistical, meta, std_effects=unsure)
    judge_precision(findings, meta.thresholds, values["thickness_nm"], refinement)
    if best.answers is not None:
        judge_agreement(findings, best.answers, values["thickness_nm"], meta.thresholds)
    return Answer(values, refinement.best.parameters, refinement.noise, standing(ready.matches, at))


def _beam(ready: Prepared, refinement: Refinement, findings: Findings) -> BeamShares | None:
    """How much of the beam the pattern holds; `findings` receives what speaks against it."""
    absolute = absolute_intensity(ready)
    if ready.beam is None or absolute is None:
        return None
    shares = absolute.shares(refinement.model, refinement.best.parameters)
    judge_intensity(findings, shares)
    judge_radius(findings, ready.beam.disk.radius_px, refinement.best.parameters)
    return beam_shares(ready.beam, shares)


def nearest(best: Attempt, findings: Findings) -> Answer:
    """The networks alone, and whether a rendered pattern near their thickness bears them out, which the sheet shows."""
    ready, answers, meta = best.ready, best.answers, best.ready.bundle.meta
    assert answers is not None  # a bundle without networks is refused where nothing is refined
    value = answers.candidates[0].value
    near = match(ready.array, ready.outline, ready.library.near(value), mirrored=ready.conditions.mirrored)
    checked = rendered_check(ready, near[0].parameters)
    judge_alone(findings, checked, answers, meta.thresholds)
    values = estimates.network_values(answers, meta, convergence_mrad=ready.conditions.convergence_mrad)
    values["misfit"] = checked.fit.misfit
    return Answer(values, checked.fit.parameters, checked.noise)
