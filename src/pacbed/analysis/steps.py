"""The steps of a prediction, each usable on its own: prepare, ask the networks, refine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from pacbed.analysis.fit.covariance import noise_share
from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.effects.consider import consider_effects
from pacbed.analysis.fit.effects.gamma import eight_bits
from pacbed.analysis.fit.effects.vacuum import Vacuum
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.library import Library, build_library
from pacbed.analysis.fit.matching import choose_starts, match
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import COARSE, FINE, Checked, Refinement, Resolution, fit, refine
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.library_cache import cached_library
from pacbed.analysis.networks import Asked, NetworkAnswers, ask_networks
from pacbed.analysis.options import Conditions, PredictOptions
from pacbed.analysis.picture.examine import Picture, examine
from pacbed.analysis.picture.mask_file import mask_name, read_mask
from pacbed.analysis.plausibility import check_pixel
from pacbed.analysis.recording.pattern_file import Pattern, pattern_from_array, read_pattern
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.errors import bad_value
from pacbed.outline import Outline

LEAST_TILT_MRAD = 0.5  # the mistilt that a table must leave at a convergence angle
EDGE_MRAD = 2.0  # widest aperture edge that a coarse rendering uses
BESIDE_VACUUM_NM = 30.0  # a thicker crystal is recognised beside any share of vacuum
STARTS_BESIDE_VACUUM = 2
MATCHES_ALIKE = 1.2  # mismatch over that without vacuum; it is above 1.3 for simulated crystals without
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
    picture : Picture
        What is compared.
    library : Library
        Rendered patterns of its convergence angle.
    """

    bundle: Bundle
    recorded: Pattern
    conditions: Conditions
    picture: Picture
    library: Library

    @property
    def array(self) -> np.ndarray:
        """Repaired counts, float32, shape (y, x)."""
        return self.picture.array

    @property
    def outline(self) -> Outline:
        """The bright region."""
        return self.picture.outline


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
    recorded = _recorded_pattern(pattern, options)
    conditions = checked_conditions(bundle, options.or_stated(recorded.calibration, bundle.meta.energy_kev))
    mask = None if options.mask is None else read_mask(options.mask, recorded.array.shape)
    picture = examine(recorded, mask)
    check_pixel(conditions, picture.outline)
    return Prepared(bundle, recorded, conditions, picture, library_for(bundle, conditions.convergence_mrad))


def checked_conditions(bundle: Bundle, known: PredictOptions) -> Conditions:
    """How a pattern was recorded, once it is seen that the bundle can answer that.

    Parameters
    ----------
    bundle : Bundle
    known : PredictOptions
        With what the file states.

    Raises
    ------
    ParameterError
        No convergence angle is known, or a value is none that the bundle or physics knows.
    """
    return Conditions(
        _checked_convergence(bundle, known.convergence_mrad),
        _positive("energy_kev", known.energy_kev, "kV"),
        _positive("pixel_mrad", known.pixel_mrad, "mrad"),
        known.mirrored,
        None if known.mask is None else mask_name(known.mask),
    )


def _recorded_pattern(pattern: Pattern | np.ndarray | str | Path, options: PredictOptions) -> Pattern:
    if isinstance(pattern, Pattern):
        return pattern
    if not isinstance(pattern, str | Path):
        return pattern_from_array(pattern)
    return read_pattern(pattern, dataset=options.dataset, frame=options.frame, scan_shape=options.scan_shape)


def library_for(bundle: Bundle, convergence_mrad: float, *, deepest_nm: float = np.inf, vacuum: float = 0.0) -> Library:
    """The library of a convergence angle, kept with the bundle and in the cache; angles within 0.1 mrad share one.

    Parameters
    ----------
    bundle : Bundle
    convergence_mrad : float
        Semi-convergence angle [mrad].
    deepest_nm : float
        Thickest entry, if the bundle does not end before [nm].
    vacuum : float
        Share of the beam that meets no crystal.
    """
    angle = round(convergence_mrad, 1)

    def build() -> Library:
        trained = bundle.meta.trained
        deepest = min(trained.thickness_nm[1], bundle.table.thickness_max_nm, deepest_nm)
        return build_library(
            bundle.renderer,
            convergence_mrad=angle,
            thickness_nm=(trained.thickness_nm[0], deepest),
            mistilt_max_mrad=min(trained.mistilt_mrad[1], 0.95 * bundle.renderer.mistilt_max_mrad(angle, EDGE_MRAD)),
            vacuum=vacuum,
        )

    kind = (angle, deepest_nm, vacuum)
    return bundle.recent(("library", *kind), lambda: cached_library(bundle, kind, build))


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
    restraints = _restraints(ready)
    refinement = refine(
        ready.bundle.renderer,
        ready.array,
        ready.outline,
        starts,
        restraints=restraints,
        mirrored=ready.conditions.mirrored,
        used=ready.picture.used,
    )
    return consider_effects(
        refinement,
        _model(ready, COARSE),
        restraints,
        eight_bits=eight_bits(ready.recorded.array),
        beside_vacuum=lambda: starts_beside_vacuum(ready),
    )


def rendered_check(ready: Prepared, start: PatternParameters) -> Checked:
    """The best rendered pattern near a start, found on coarse pixels; restrained as `refine_from`."""
    model = _model(ready, COARSE)
    return Checked(fit(model, start, _restraints(ready), steps=COARSE.steps, quick=True), noise_share(model))


def _restraints(ready: Prepared) -> Restraints:
    known, widths = ready.conditions, ready.bundle.meta.priors
    return Restraints(
        known.convergence_mrad,
        widths.convergence_relative * known.convergence_mrad,
        known.pixel_mrad,
        None if known.pixel_mrad is None else widths.pixel_relative,
    )


def starts_beside_vacuum(ready: Prepared) -> list[PatternParameters]:
    """Where a fit may start if much of the averaged area may be vacuum; nowhere if such patterns match much worse."""
    known = ready.conditions
    library = library_for(ready.bundle, known.convergence_mrad, deepest_nm=BESIDE_VACUUM_NM, vacuum=Vacuum.sizes[-1])
    matches, full = (
        match(ready.array, ready.outline, one, mirrored=known.mirrored) for one in (library, ready.library)
    )
    if matches.mismatch[0] > MATCHES_ALIKE * full.mismatch[0]:
        return []
    return [start.parameters for start in choose_starts(matches, count=STARTS_BESIDE_VACUUM)]


def fine_model(ready: Prepared) -> ForwardModel:
    """Forward model on fine pixels, for a sheet without a refinement."""
    return _model(ready, FINE)


def _model(ready: Prepared, resolution: Resolution) -> ForwardModel:
    cutout = Cutout.around(ready.array, ready.outline, pixels=resolution.pixels, used=ready.picture.used)
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
