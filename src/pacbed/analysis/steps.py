"""The steps of a prediction, each usable on its own: prepare, ask the networks, refine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.covariance import noise_share
from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.library import Library, build_library
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import COARSE, FINE, Fit, Refinement, Resolution, fit, refine
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.networks import Asked, NetworkAnswers, ask_networks
from pacbed.analysis.options import Conditions, PredictOptions
from pacbed.analysis.recording.defects import repair
from pacbed.analysis.recording.pattern_file import Pattern, pattern_from_array, read_pattern
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.errors import bad_value
from pacbed.outline import Outline, find_outline

LEAST_TILT_MRAD = 0.5  # the mistilt that a table must leave at a convergence angle
EDGE_MRAD = 2.0  # widest aperture edge that a coarse rendering uses
NARROWEST = 0.5  # smallest accepted convergence angle over the smallest trained one


@dataclass(frozen=True)
class Prepared:
    """A pattern made ready for networks and fit.

    Attributes
    ----------
    bundle : Bundle
    recorded : Pattern
        As it was read.
    conditions : Conditions
        How it was recorded.
    array : float32 array, shape (y, x)
        Counts without defective pixels.
    defects : int
        Pixels replaced.
    outline : Outline
        The bright region.
    library : Library
        Rendered patterns of its convergence angle.
    """

    bundle: Bundle
    recorded: Pattern
    conditions: Conditions
    array: np.ndarray
    defects: int
    outline: Outline
    library: Library


class Checked(NamedTuple):
    """The rendered pattern that fits best near a start, on coarse pixels.

    Attributes
    ----------
    fit : Fit
    noise : float
        Share of the misfit that noise accounts for.
    """

    fit: Fit
    noise: float


def opened(bundle: Bundle | str | Path) -> Bundle:
    """The bundle, opened if it is a path."""
    return bundle if isinstance(bundle, Bundle) else load_bundle(bundle)


def check_networks(bundle: Bundle, *, refine: bool) -> None:
    """Refuse to ask networks alone where there are none.

    Raises
    ------
    ParameterError
    """
    if not refine and not bundle.networks:
        raise bad_value("refine", refine, "True (no --no-refine): there are no networks in this bundle")


def prepare(
    bundle: Bundle | str | Path, pattern: Pattern | np.ndarray | str | Path, options: PredictOptions
) -> Prepared:
    """Read the pattern, check what is known of it, repair it, find its bright region.

    Parameters
    ----------
    bundle : Bundle or path
    pattern : Pattern, path, or array of shape (y, x)
        The recorded counts.
    options : PredictOptions

    Raises
    ------
    PatternError, ParameterError, FormatError
        The pattern, an option or the bundle cannot be used.
    """
    bundle = opened(bundle)
    check_networks(bundle, refine=options.refine)
    recorded = _recorded_pattern(pattern, options.dataset)
    known = options.or_stated(recorded.calibration)
    conditions = Conditions(
        _checked_convergence(bundle, known.convergence_mrad),
        _positive("energy_kev", known.energy_kev, "kV"),
        _positive("pixel_mrad", known.pixel_mrad, "mrad"),
        known.mirrored,
    )
    repaired = repair(recorded.array)
    library = library_for(bundle, conditions.convergence_mrad)
    outline = find_outline(repaired.array)
    return Prepared(bundle, recorded, conditions, repaired.array, repaired.defects, outline, library)


def _recorded_pattern(pattern: Pattern | np.ndarray | str | Path, dataset: str | None) -> Pattern:
    if isinstance(pattern, Pattern):
        return pattern
    return read_pattern(pattern, dataset=dataset) if isinstance(pattern, str | Path) else pattern_from_array(pattern)


def library_for(bundle: Bundle, convergence_mrad: float) -> Library:
    """The library of a convergence angle, kept with the bundle; angles within 0.1 mrad share one."""
    angle = round(convergence_mrad, 1)

    def build() -> Library:
        trained = bundle.meta.trained
        return build_library(
            bundle.renderer,
            convergence_mrad=angle,
            thickness_nm=(trained.thickness_nm[0], min(trained.thickness_nm[1], bundle.table.thickness_max_nm)),
            mistilt_max_mrad=min(trained.mistilt_mrad[1], 0.95 * bundle.renderer.mistilt_max_mrad(angle, EDGE_MRAD)),
        )

    return bundle.recent(("library", angle), build)


def network_answers(ready: Prepared) -> NetworkAnswers | None:
    """The three networks, starting from the pixel size given, or from the size of the bright region; None without."""
    if not ready.bundle.networks:
        return None
    # Thick crystals look larger than their disk: the library knows by how much.
    guess = float(np.median(ready.library.radius_mrad)) / ready.outline.radius_px
    asked = Asked(
        ready.array,
        ready.outline,
        ready.conditions.convergence_mrad,
        ready.conditions.pixel_mrad or guess,
        ready.conditions.mirrored,
    )
    return ask_networks(ready.bundle.networks, asked, ready.bundle.meta.preprocessing)


def refine_from(ready: Prepared, starts: Sequence[PatternParameters]) -> Refinement:
    """Least squares from the given starts, restrained by what is known with the bundle's widths."""
    return refine(
        ready.bundle.renderer,
        ready.array,
        ready.outline,
        starts,
        restraints=_restraints(ready),
        mirrored=ready.conditions.mirrored,
    )


def rendered_check(ready: Prepared, start: PatternParameters) -> Checked:
    """The best rendered pattern near a start, found on coarse pixels; restrained as `refine_from`."""
    model = _model(ready, COARSE)
    return Checked(fit(model, start, _restraints(ready), steps=COARSE.steps, quick=True), noise_share(model))


def fine_model(ready: Prepared) -> ForwardModel:
    """Forward model on fine pixels, for a sheet without a refinement."""
    return _model(ready, FINE)


def _restraints(ready: Prepared) -> Restraints:
    known, widths = ready.conditions, ready.bundle.meta.priors
    return Restraints(
        known.convergence_mrad,
        widths.convergence_relative * known.convergence_mrad,
        known.pixel_mrad,
        None if known.pixel_mrad is None else widths.pixel_relative,
    )


def _model(ready: Prepared, level: Resolution) -> ForwardModel:
    cutout = Cutout.around(ready.array, ready.outline, pixels=level.pixels)
    return ForwardModel(ready.bundle.renderer, cutout, mirrored=ready.conditions.mirrored)


def _positive(name: str, value: float | None, unit: str) -> float | None:
    if value is not None and not (isfinite(value) and value > 0):
        raise bad_value(name, value, f"a number above 0 [{unit}]")
    return value


def _checked_convergence(bundle: Bundle, value: float | None) -> float:
    low = NARROWEST * bundle.meta.trained.convergence_mrad[0]
    high = bundle.renderer.mistilt_max_mrad(0.0, EDGE_MRAD) - LEAST_TILT_MRAD
    accepted = f"a number from {low:.1f} to {high:.1f} [mrad] for this bundle"
    if value is None:
        raise bad_value("convergence_mrad", None, f"{accepted} (the file does not state it)")
    if not low <= value <= high:
        raise bad_value("convergence_mrad", value, accepted)
    return float(value)
