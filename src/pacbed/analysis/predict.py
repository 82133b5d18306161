"""From a recorded pattern to a thickness with an error bar: the whole way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis import outcome, verdict
from pacbed.analysis.fit.forward import ForwardModel, Parameters
from pacbed.analysis.fit.library import choose_starts, match
from pacbed.analysis.networks import Reading
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.analysis.result import Provenance, Result
from pacbed.analysis.steps import (
    Prepared,
    ask_networks,
    fine_model,
    nearest_match,
    prepare,
    recorded_pattern,
    refine_from,
)
from pacbed.analysis.verdict import Findings
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.errors import bad_value
from pacbed.logs import installed_versions
from pacbed.patterns import Geometry, polar_to_vector

STARTS = 4  # of the library match; the thickness network's candidates come on top
LARGEST_PIXELS = 4096


@dataclass(frozen=True)
class Analysis:
    """A result with what its sheet shows.

    Attributes
    ----------
    result : Result
    model : ForwardModel
        Of the finest view of the pattern.
    parameters : Parameters
        The best match.
    """

    result: Result
    model: ForwardModel
    parameters: Parameters


def predict(bundle: Bundle | str | Path, pattern: Pattern | np.ndarray | str | Path, **options: Any) -> Result:
    """Thickness and whatever else one pattern tells.

    Parameters
    ----------
    bundle : Bundle or path
        From `load_bundle`.
    pattern : path, or array of shape (y, x)
        The recorded pattern.
    **options
        ``convergence_mrad``, ``energy_kev``, ``pixel_mrad``, ``dataset``, ``mirrored``, ``refine``: see `analyse`.

    Returns
    -------
    Result
        Its verdict is `refused` when the pattern does not fit the bundle.

    Raises
    ------
    PatternError, ParameterError, FormatError
        The pattern, an option or the bundle cannot be used.
    """
    return analyse(bundle, pattern, **options).result


def render(
    bundle: Bundle | str | Path,
    *,
    thickness_nm: float,
    convergence_mrad: float,
    mistilt_mrad: float = 0.0,
    azimuth_deg: float = 0.0,
    pixels: int | None = None,
    max_angle_mrad: float | None = None,
) -> np.ndarray:
    """Render one pattern of a bundle's crystal.

    Parameters
    ----------
    bundle : Bundle or path
    thickness_nm, convergence_mrad : float
    mistilt_mrad, azimuth_deg : float
        Magnitude, and direction from the crystal's +x towards +y.
    pixels : int, optional
        Edge of the image; by default the stack's.
    max_angle_mrad : float, optional
        Half width of the field of view; by default the stack's.

    Returns
    -------
    float32 array, shape (pixels, pixels)
        Fraction of the beam per pixel.

    Raises
    ------
    ParameterError
        A value lies outside what the bundle can render.
    """
    bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
    side = bundle.meta.stack_pixels if pixels is None else pixels
    half = bundle.meta.max_angle_mrad if max_angle_mrad is None else max_angle_mrad
    if not 1 <= side <= LARGEST_PIXELS:
        raise bad_value("pixels", side, f"1 to {LARGEST_PIXELS}")
    if not 0 < half <= bundle.renderer.field_mrad:
        raise bad_value(
            "max_angle_mrad", half, f"above 0, up to {bundle.renderer.field_mrad:.1f} [mrad] for this bundle"
        )
    return bundle.renderer.render(
        thickness_nm=thickness_nm,
        convergence_mrad=convergence_mrad,
        mistilt_mrad=tuple(polar_to_vector(mistilt_mrad, azimuth_deg)),
        geometry=Geometry.field_of_view(side, half),
    )


def analyse(
    bundle: Bundle | str | Path,
    pattern: Pattern | np.ndarray | str | Path,
    *,
    convergence_mrad: float | None = None,
    energy_kev: float | None = None,
    pixel_mrad: float | None = None,
    dataset: str | None = None,
    mirrored: bool = False,
    refine: bool = True,
) -> Analysis:
    """Predict and keep what the sheet shows.

    Parameters
    ----------
    bundle : Bundle or path
    pattern : Pattern, path, or array of shape (y, x)
    convergence_mrad, energy_kev, pixel_mrad : float, optional
        Override what the file says.
    dataset : str, optional
        Which data set of a file that holds several.
    mirrored : bool
        The camera shows the pattern mirrored.
    refine : bool
        Least squares on the rendered table; without it the networks alone decide.
    """
    ready = prepare(
        bundle if isinstance(bundle, Bundle) else load_bundle(bundle),
        recorded_pattern(pattern, dataset),
        convergence_mrad=convergence_mrad,
        energy_kev=energy_kev,
        pixel_mrad=pixel_mrad,
        mirrored=mirrored,
    )
    findings, meta = Findings(), ready.bundle.meta
    verdict.judge_input(findings, meta, ready.given, ready.outline, ready.recorded.saturated_fraction)
    reading = ask_networks(ready)
    verdict.judge_networks(findings, reading, refined=refine)
    matches = match(ready.array, ready.outline, ready.library, mirrored=mirrored)
    if refine:
        wanted = [peak.value for peak in reading.candidates]
        starts = choose_starts(matches, count=STARTS, thickness_nm=wanted)
        refinement = refine_from(ready, [start.parameters for start in starts])
        verdict.judge_fit(findings, refinement, meta, ready.given, ready.bundle.table)
        values = outcome.refined_values(
            refinement, meta, period_deg=ready.bundle.table.rotation_period_deg, mirrored=mirrored
        )
        model, at, noise = refinement.model, refinement.best.parameters, refinement.noise
    else:
        model, at, noise = fine_model(ready), nearest_match(matches, reading.candidates[0].value), None
        values = outcome.network_values(reading, meta, convergence_mrad=ready.given.convergence_mrad)
    result = Result(
        system=meta.system,
        thickness_candidates=outcome.candidates(reading),
        verdict=findings.verdict,
        reasons=findings.reasons,
        networks=outcome.class_probabilities(reading, ready.bundle.networks),
        provenance=_provenance(ready, reading, at, noise),
        **values,
    )
    return Analysis(result, model, at)


def _provenance(ready: Prepared, reading: Reading, at: Parameters, noise: float | None) -> Provenance:
    given, meta = ready.given, ready.bundle.meta
    return Provenance(
        input=ready.recorded.source,
        input_sha256=ready.recorded.sha256,
        bundle=ready.bundle.path.name,
        bundle_sha256=ready.bundle.sha256,
        versions=installed_versions(),
        parameters={
            "given": asdict(given),
            "refined": noise is not None,
            "misfit_of_noise": noise,
            "center_px": list(at.center_px),
            "defective_pixels": ready.defects,
            "bright_region": {**asdict(ready.outline), "center_px": list(ready.outline.center_px)},
            "scale_reference_pixel_mrad": reading.reference_pixel_mrad,
            "scale_rounds": list(reading.scales),
            "scale_converged": reading.scale_converged,
            "priors": meta.priors.model_dump(),
            "thresholds": meta.thresholds.model_dump(),
            "preprocessing": meta.preprocessing.model_dump(),
            "model_error": meta.model_error.model_dump(exclude={"effects"}),
        },
    )
