"""From a recorded pattern to a thickness with an error bar: the whole way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pacbed.analysis import estimates
from pacbed.analysis.attempts.answer import Answer, fitted, nearest
from pacbed.analysis.attempts.attempt import Attempt, attempts
from pacbed.analysis.attempts.refining import forward_model
from pacbed.analysis.attempts.starts import check_refine_from
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.matching.match import Matches
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.options import DEFAULT_OPTIONS, PredictOptions
from pacbed.analysis.plausibility import note_pixel
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.analysis.result import Provenance, Result
from pacbed.analysis.steps import Prepared, prepare
from pacbed.analysis.threads import one_thread
from pacbed.analysis.verdicts.findings import Findings
from pacbed.analysis.verdicts.networks import judge_networks
from pacbed.analysis.verdicts.picture import judge_input
from pacbed.bundle.reader import Bundle
from pacbed.logs import installed_versions


@dataclass(frozen=True)
class Analysis:
    """A result with what its sheet shows.

    Attributes
    ----------
    result : Result
    parameters : PatternParameters
        The best match.
    attempt : Attempt
        The hand that fits better.
    """

    result: Result
    parameters: PatternParameters
    attempt: Attempt

    @property
    def ready(self) -> Prepared:
        """The pattern, in the hand that fits better."""
        return self.attempt.ready

    @property
    def matches(self) -> Matches:
        """Library match of every thickness and mistilt."""
        return self.attempt.ready.matches

    @property
    def refinement(self) -> Refinement | None:
        """None where the networks alone have answered."""
        return self.attempt.refinement

    @cached_property
    def model(self) -> ForwardModel:
        """Forward model of the pattern on fine pixels."""
        return forward_model(self.ready) if self.refinement is None else self.refinement.model


def predict(  # noqa: PLR0913 - one call that shows, and checks the names of, all options
    bundle: Bundle | str | Path,
    pattern: Pattern | np.ndarray | str | Path,
    *,
    convergence_mrad: float | None = None,
    energy_kev: float | None = None,
    pixel_mrad: float | None = None,
    dataset: str | None = None,
    mirrored: bool | None = None,
    refine: bool = True,
    frame: tuple[int, ...] | None = None,
    scan_shape: tuple[int, int] | None = None,
    refine_from_nm: tuple[float, ...] = (),
    vacuum: str | Path | None = None,
    exposure_ratio: float = 1.0,
    zero_loss_nm: tuple[float, float] | None = None,
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
    mirrored : bool, optional
        The camera shows the pattern mirrored; by default both are tried where the crystal has no mirror line.
    refine : bool
        Least squares on the rendered table; without it the networks alone decide.
    frame : tuple of int, optional
        Which pattern of a scan or series: its number from 0, or row and column.
    scan_shape : tuple of int, optional
        Rows and columns of a scan that the file holds as one series, or describes in contradictory ways.
    refine_from_nm : tuple of float
        Thicknesses to start from instead of those that library match and networks propose [nm].
    vacuum : path, optional
        Pattern of the bare beam by the same camera; both dark-subtracted.
    exposure_ratio : float
        Exposure of the pattern over that of the vacuum pattern.
    zero_loss_nm : tuple of float, optional
        Of a pattern filtered for zero loss: mean free path of inelastic scattering, and its standard deviation [nm].

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
        frame=frame,
        scan_shape=scan_shape,
        refine_from_nm=refine_from_nm,
        vacuum=vacuum,
        exposure_ratio=exposure_ratio,
        zero_loss_nm=zero_loss_nm,
    )
    return analyse(bundle, pattern, options).result


def analyse(
    bundle: Bundle | str | Path,
    pattern: Pattern | np.ndarray | str | Path,
    options: PredictOptions = DEFAULT_OPTIONS,
) -> Analysis:
    """Predict and keep what the sheet shows; arguments and errors as for `predict`."""
    with one_thread():
        ready = prepare(bundle, pattern, options)
        check_refine_from(ready.bundle, options)
        return _analysed(ready, options)


def _analysed(ready: Prepared, options: PredictOptions) -> Analysis:
    findings, meta = Findings(), ready.bundle.meta
    judge_input(findings, meta, ready.conditions, ready.picture, ready.library.radius_mrad)
    note_pixel(findings, ready.recorded.calibration, options)
    best, *others = attempts(ready, options)
    judge_networks(findings, best.answers, refined=options.refine)
    answer = nearest(best, findings) if best.refinement is None else fitted(best, others, findings, options)
    result = Result(
        system=meta.system,
        thickness_candidates=estimates.candidates(best.answers),
        verdict=findings.verdict,
        reasons=findings.reasons,
        mirrored=best.ready.conditions.mirrored,
        networks=estimates.class_probabilities(best.answers, ready.bundle.networks),
        provenance=_provenance(best, answer, options),
        **answer.values,
    )
    return Analysis(result, answer.parameters, best)


def _provenance(best: Attempt, answer: Answer, options: PredictOptions) -> Provenance:
    ready, answers, meta = best.ready, best.answers, best.ready.bundle.meta
    return Provenance(
        input=ready.recorded.source,
        input_sha256=ready.recorded.sha256,
        bundle=ready.bundle.path.name,
        bundle_sha256=ready.bundle.sha256,
        versions=installed_versions(),
        parameters={
            "given": asdict(ready.conditions),
            "part": options.part,
            "scan_shape": None if options.scan_shape is None else list(options.scan_shape),
            "refined": best.refinement is not None,
            "refine_from_nm": list(options.refine_from_nm),
            "exposure_ratio": options.exposure_ratio,
            "zero_loss_nm": options.zero_loss_nm,
            "misfit_of_noise": answer.noise,
            "library": None if answer.place is None else answer.place._asdict(),
            "center_px": list(answer.parameters.center_px),
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
