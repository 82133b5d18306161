"""The first steps of a prediction, each usable on its own: prepare a pattern, ask the networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path

import numpy as np

from pacbed.analysis.fit.matching.library import Library
from pacbed.analysis.fit.matching.match import Matches, match
from pacbed.analysis.libraries.of_angle import EDGE_MRAD, library_for
from pacbed.analysis.networks import Asked, NetworkAnswers, ask_networks
from pacbed.analysis.options import Conditions, PredictOptions
from pacbed.analysis.picture.examine import Picture, examine
from pacbed.analysis.picture.mask_file import mask_name, read_mask
from pacbed.analysis.plausibility import check_pixel
from pacbed.analysis.recording.pattern_file import Pattern, pattern_from_array, read_pattern
from pacbed.analysis.vacuum.beam import Beam, read_beam
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.errors import bad_value
from pacbed.outline import Outline

LEAST_TILT_MRAD = 0.5  # the mistilt that a table must leave at a convergence angle
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
    beam : Beam or None
        From a vacuum pattern.
    """

    bundle: Bundle
    recorded: Pattern
    conditions: Conditions
    picture: Picture
    library: Library
    beam: Beam | None = None

    @property
    def array(self) -> np.ndarray:
        """Repaired counts, float32, shape (y, x)."""
        return self.picture.array

    @property
    def outline(self) -> Outline:
        """The bright region."""
        return self.picture.outline

    @cached_property
    def matches(self) -> Matches:
        """Library match of every thickness and mistilt; networks alone do without, which halves their time."""
        return match(self.array, self.outline, self.library, mirrored=self.conditions.mirrored)


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
    beam = read_beam(options, recorded.array.shape, mask)
    return Prepared(bundle, recorded, conditions, picture, library_for(bundle, conditions.convergence_mrad), beam)


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
        bool(known.mirrored),
        None if known.mask is None else mask_name(known.mask),
    )


def _recorded_pattern(pattern: Pattern | np.ndarray | str | Path, options: PredictOptions) -> Pattern:
    if isinstance(pattern, Pattern):
        return pattern
    if not isinstance(pattern, str | Path):
        return pattern_from_array(pattern)
    return read_pattern(pattern, dataset=options.dataset, frame=options.frame, scan_shape=options.scan_shape)


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
