"""From a recorded pattern to a thickness with an error bar: the whole way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from pacbed.analysis import estimates, verdict
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.matching import Matches, Standing, choose_starts, match, nearest_match, standing
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.networks import NetworkAnswers
from pacbed.analysis.options import DEFAULT_OPTIONS, PredictOptions
from pacbed.analysis.plausibility import note_pixel
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.analysis.result import Provenance, Result
from pacbed.analysis.steps import Prepared, fine_model, network_answers, prepare, refine_from, rendered_check
from pacbed.analysis.verdict import Findings
from pacbed.analysis.verdicts.networks import judge_agreement, judge_alone, judge_networks
from pacbed.analysis.verdicts.picture import judge_input, judge_precision
from pacbed.bundle.reader import Bundle
from pacbed.logs import installed_versions

STARTS = 4  # of the library match; the thickness network's candidates come on top
# Without networks: all that leave hardly more than the best, which the right one has always been among.
STARTS_ALONE, WITHIN_ALONE = 12, 1.3


@dataclass(frozen=True)
class Analysis:
    """A result with what its sheet shows.

    Attributes
    ----------
    result : Result
    model : ForwardModel
        Of the pattern on fine pixels.
    parameters : PatternParameters
        The best match.
    """

    result: Result
    model: ForwardModel
    parameters: PatternParameters


@dataclass(frozen=True)
class _Match:
    """The rendered pattern that stands for the recorded one.

    Attributes
    ----------
    values : dict
        Fields of the result that follow from it.
    model, parameters
        As in `Analysis`.
    noise : float
        Share of the misfit that noise accounts for.
    place : Standing
        Of its thickness among the matches.
    refined : bool
        The values come from a fit and not from the networks.
    """

    values: dict[str, Any]
    model: ForwardModel
    parameters: PatternParameters
    noise: float
    place: Standing
    refined: bool


def predict(
    bundle: Bundle | str | Path,
    pattern: Pattern | np.ndarray | str | Path,
    *,
    convergence_mrad: float | None = None,
    energy_kev: float | None = None,
    pixel_mrad: float | None = None,
    dataset: str | None = None,
    mirrored: bool = False,
    refine: bool = True,
) -> Result:
    """Thickness and whatever else one pattern tells.

    Parameters
    ----------
    bundle : Bundle or path
        From `load_bundle`.
    pattern : path, or array of shape (y, x)
        The recorded pattern [counts].
    convergence_mrad : float, optional
        Semi-convergence angle [mrad]; needed where the file does not state it.
    energy_kev : float, optional
        Beam energy [keV]; by default what the file states.
    pixel_mrad : float, optional
        Pixel size [mrad]; by default what the file states, else found from the pattern.
    dataset : str, optional
        Which data set of a file that holds several.
    mirrored : bool
        The camera shows the pattern mirrored.
    refine : bool
        Least squares on the rendered table; without it the networks alone decide.

    Returns
    -------
    Result
        Its verdict is `refused` when the pattern does not fit the bundle.

    Raises
    ------
    PatternError, ParameterError, FormatError
        The pattern, an option or the bundle cannot be used.
    """
    options = PredictOptions(
        convergence_mrad=convergence_mrad,
        energy_kev=energy_kev,
        pixel_mrad=pixel_mrad,
        dataset=dataset,
        mirrored=mirrored,
        refine=refine,
    )
    return analyse(bundle, pattern, options).result


def analyse(
    bundle: Bundle | str | Path,
    pattern: Pattern | np.ndarray | str | Path,
    options: PredictOptions = DEFAULT_OPTIONS,
) -> Analysis:
    """Predict and keep what the sheet shows; arguments and errors as for `predict`."""
    # Idle threads of BLAS spin between thousands of small problems: 2.3 to 4 times the processor time.
    with threadpool_limits(limits=1):
        return _analysed(prepare(bundle, pattern, options), options)


def _analysed(ready: Prepared, options: PredictOptions) -> Analysis:
    findings, meta = Findings(), ready.bundle.meta
    judge_input(findings, meta, ready.conditions, ready.picture, ready.library.radius_mrad)
    note_pixel(findings, ready.recorded.calibration, options)
    answers = network_answers(ready)
    judge_networks(findings, answers, refined=options.refine)
    matches = match(ready.array, ready.outline, ready.library, mirrored=ready.conditions.mirrored)
    if options.refine or answers is None:
        best = _fitted(ready, answers, matches, findings)
    else:
        best = _nearest(ready, answers, matches, findings)
    result = Result(
        system=meta.system,
        thickness_candidates=estimates.candidates(answers),
        verdict=findings.verdict,
        reasons=findings.reasons,
        networks=estimates.class_probabilities(answers, ready.bundle.networks),
        provenance=_provenance(ready, answers, best),
        **best.values,
    )
    return Analysis(result, best.model, best.parameters)


def _fitted(ready: Prepared, answers: NetworkAnswers | None, matches: Matches, findings: Findings) -> _Match:
    """Least squares from the best matches and the networks' candidates; `findings` receives what speaks against it."""
    if answers is None:
        starts = choose_starts(matches, count=STARTS_ALONE, within=WITHIN_ALONE)
    else:
        thickness_nm = [peak.value for peak in answers.candidates]
        starts = choose_starts(matches, count=STARTS, thickness_nm=thickness_nm)
    refinement = refine_from(ready, [start.parameters for start in starts])
    meta, table, conditions = ready.bundle.meta, ready.bundle.table, ready.conditions
    verdict.judge_fit(findings, refinement, meta, conditions, table)
    values = estimates.refined_values(
        refinement, meta, period_deg=table.rotation_period_deg, mirrored=conditions.mirrored
    )
    judge_precision(findings, meta.thresholds, values["thickness_nm"], refinement)
    if answers is not None:
        judge_agreement(findings, answers, values["thickness_nm"], meta.thresholds)
    at = refinement.best.parameters
    return _Match(values, refinement.model, at, refinement.noise, standing(matches, at.thickness_nm), refined=True)


def _nearest(ready: Prepared, answers: NetworkAnswers, matches: Matches, findings: Findings) -> _Match:
    """The networks alone, and whether a rendered pattern near their thickness bears them out."""
    meta, value = ready.bundle.meta, answers.candidates[0].value
    checked = rendered_check(ready, nearest_match(matches, value))
    judge_alone(findings, checked, answers, meta.thresholds)
    values = estimates.network_values(answers, meta, convergence_mrad=ready.conditions.convergence_mrad)
    values["misfit"] = checked.fit.misfit
    place = standing(matches, value)
    return _Match(values, fine_model(ready), checked.fit.parameters, checked.noise, place, refined=False)


def _provenance(ready: Prepared, answers: NetworkAnswers | None, best: _Match) -> Provenance:
    meta = ready.bundle.meta
    return Provenance(
        input=ready.recorded.source,
        input_sha256=ready.recorded.sha256,
        bundle=ready.bundle.path.name,
        bundle_sha256=ready.bundle.sha256,
        versions=installed_versions(),
        parameters={
            "given": asdict(ready.conditions),
            "refined": best.refined,
            "misfit_of_noise": best.noise,
            "library": best.place._asdict(),
            "center_px": list(best.parameters.center_px),
            "defective_pixels": ready.picture.defects,
            "pixels_left_out": ready.picture.counts,
            "saturated_share_of_disk": ready.picture.saturated_share,
            "unused_share_of_disk": ready.picture.unused_share,
            "bright_region": {**asdict(ready.outline), "center_px": list(ready.outline.center_px)},
            "scale_reference_pixel_mrad": None if answers is None else answers.reference_pixel_mrad,
            "scale_rounds": None if answers is None else list(answers.scales),
            "scale_converged": None if answers is None else answers.scale_converged,
            "priors": meta.priors.model_dump(),
            "thresholds": meta.thresholds.model_dump(),
            "preprocessing": meta.preprocessing.model_dump(),
            "model_error": meta.model_error.model_dump(exclude={"effects"}),
        },
    )
