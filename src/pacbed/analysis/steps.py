"""The steps of a prediction, each usable on its own: prepare, ask the networks, refine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from pacbed.analysis.fit.forward import ForwardModel, Parameters, View
from pacbed.analysis.fit.library import Library, Start, build_library
from pacbed.analysis.fit.refinement import LEVELS, VIEW_REACH, Refinement, refine
from pacbed.analysis.fit.sensitivity import Priors
from pacbed.analysis.networks import Reading, read_networks
from pacbed.analysis.recording.outline import Outline, find_outline, repair
from pacbed.analysis.recording.pattern_file import Pattern, pattern_from_array, read_pattern
from pacbed.analysis.verdict import Given
from pacbed.bundle.reader import Bundle
from pacbed.errors import bad_value

LEAST_TILT_MRAD = 0.5  # room for a mistilt that a table must leave at a convergence angle
EDGE_MRAD = 2.0  # widest aperture edge that a coarse rendering uses
NARROWEST = 0.5  # smallest accepted convergence angle over the smallest trained one


@dataclass(frozen=True)
class Prepared:
    """A pattern made ready: what was recorded, what is known about it, and where its bright region lies."""

    bundle: Bundle
    recorded: Pattern
    given: Given
    array: np.ndarray
    defects: int
    outline: Outline
    library: Library


def recorded_pattern(pattern: Pattern | np.ndarray | str | Path, dataset: str | None) -> Pattern:
    if isinstance(pattern, Pattern):
        return pattern
    return read_pattern(pattern, dataset=dataset) if isinstance(pattern, str | Path) else pattern_from_array(pattern)


def prepare(
    bundle: Bundle,
    recorded: Pattern,
    *,
    convergence_mrad: float | None = None,
    energy_kev: float | None = None,
    pixel_mrad: float | None = None,
    mirrored: bool = False,
) -> Prepared:
    """Check what is given, repair the pattern, find its bright region; options as in `analyse`."""
    given = Given(
        _checked_convergence(bundle, recorded.convergence_mrad if convergence_mrad is None else convergence_mrad),
        _positive("energy_kev", recorded.energy_kev if energy_kev is None else energy_kev, "kV"),
        _positive("pixel_mrad", recorded.pixel_mrad if pixel_mrad is None else pixel_mrad, "mrad"),
        mirrored,
    )
    array, defects = repair(recorded.array)
    library = library_for(bundle, given.convergence_mrad)
    return Prepared(bundle, recorded, given, array, defects, find_outline(array), library)


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


def ask_networks(ready: Prepared) -> Reading:
    """The three networks, starting from the pixel size given, or from the size of the bright region."""
    # Thick crystals look larger than their disk: the library knows by how much.
    guess = float(np.median(ready.library.radius_mrad)) / ready.outline.radius_px
    return read_networks(
        ready.bundle.networks,
        ready.array,
        ready.outline,
        convergence_mrad=ready.given.convergence_mrad,
        pixel_mrad=ready.given.pixel_mrad or guess,
        settings=ready.bundle.meta.preprocessing,
        mirrored=ready.given.mirrored,
    )


def refine_from(ready: Prepared, starts: Sequence[Parameters]) -> Refinement:
    """Least squares from the given starts, with the bundle's priors."""
    given, widths = ready.given, ready.bundle.meta.priors
    priors = Priors(
        given.convergence_mrad,
        widths.convergence_relative * given.convergence_mrad,
        given.pixel_mrad,
        None if given.pixel_mrad is None else widths.pixel_relative,
    )
    return refine(ready.bundle.renderer, ready.array, ready.outline, starts, priors=priors, mirrored=given.mirrored)


def fine_model(ready: Prepared) -> ForwardModel:
    """Forward model of the finest view, for a sheet without a refinement."""
    outline = ready.outline
    view = View.around(ready.array, outline.center_px, outline.radius_px, reach=VIEW_REACH, pixels=LEVELS[-1][0])
    return ForwardModel(ready.bundle.renderer, view, mirrored=ready.given.mirrored)


def nearest_match(matches: Sequence[Start], thickness_nm: float) -> Parameters:
    """The best match of the library near a thickness [nm]."""
    apart = [abs(start.parameters.thickness_nm - thickness_nm) for start in matches]
    near = [start for start, distance in zip(matches, apart, strict=True) if distance <= min(apart) + 1.0]
    return near[0].parameters


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
