"""Least squares of a prepared pattern: what is known from outside it, the fit, and what may have happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pacbed.analysis.fit.absolute import AbsoluteIntensity, missing_shares
from pacbed.analysis.fit.covariance import noise_share
from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.effects.consider import consider_effects
from pacbed.analysis.fit.effects.vacuum import Vacuum
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.matching.library import Library
from pacbed.analysis.fit.matching.match import choose_starts, match
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import COARSE, FINE, GLANCE, Checked, Refinement, Resolution, fit, refine
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.libraries.of_angle import library_for, spread_library_for
from pacbed.analysis.steps import Prepared

BESIDE_VACUUM_NM = 30.0  # thickest entry where vacuum is only suspected
OTHER_STARTS = 2  # that a library of vacuum or of spread tilts proposes
THICK_STARTS = 6  # of any thickness, where much vacuum is seen
MATCHES_ALIKE = 1.2  # mismatch over that without vacuum; it is above 1.3 for simulated crystals without
SPREAD_MRAD = 2.0  # of tilts in the library that proposes starts amid them
CHECK_TOLERANCE = 1e-2  # of the sum of squares: the misfit to half a per cent, which no verdict asks for
SPREAD_BETTER = 0.97  # mismatch over that of single tilts; at spreads of 2 to 2.5 mrad it is 0.90 to 0.94
# ASSUME: half the height of a vacuum disk's rim is the aperture's edge to 0.3 % (an estimate).
RADIUS_RELATIVE = 0.003
# ASSUME: an aperture is round to 0.5 %, so that the vacuum disk's ellipse is the projectors' (an estimate).
ROUND_PERCENT = 0.5


def refine_from(ready: Prepared, starts: Sequence[PatternParameters]) -> Refinement:
    """Least squares from the given starts, restrained by what is known, with the effects that the picture asks for."""
    return with_effects(ready, refine_plainly(ready, starts))


def refine_plainly(ready: Prepared, starts: Sequence[PatternParameters]) -> Refinement:
    """As `refine_from`, as if nothing had happened to the picture beside the crystal."""
    return refine(
        ready.bundle.renderer,
        ready.array,
        ready.outline,
        starts,
        restraints=restraints_of(ready),
        mirrored=ready.conditions.mirrored,
        used=ready.picture.used,
    )


def with_effects(ready: Prepared, refinement: Refinement) -> Refinement:
    """A refinement of a pattern with the effects that the picture asks for."""
    return consider_effects(
        refinement,
        forward_model(ready, COARSE),
        restraints_of(ready),
        beside_vacuum=lambda thick: starts_beside_vacuum(ready, thick=thick),
        amid_tilts=lambda: starts_amid_tilts(ready),
    )


def rendered_check(ready: Prepared, start: PatternParameters) -> Checked:
    """The best rendered pattern near a start, found on coarse pixels; restrained as `refine_from`."""
    model = forward_model(ready, COARSE)
    found = fit(model, start, restraints_of(ready), steps=GLANCE, quick=True, tolerance=CHECK_TOLERANCE)
    return Checked(found, noise_share(model))


def restraints_of(ready: Prepared) -> Restraints:
    """What is known of a pattern's parameters from outside it, with the bundle's widths, and from a vacuum pattern."""
    known, widths = ready.conditions, ready.bundle.meta.priors
    restraints = Restraints(
        known.convergence_mrad,
        widths.convergence_relative * known.convergence_mrad,
        known.pixel_mrad,
        None if known.pixel_mrad is None else widths.pixel_relative,
    )
    if ready.beam is None:
        return restraints
    disk = ready.beam.disk
    return replace(
        restraints,
        ellipse_percent=disk.ellipse_percent,
        ellipse_std_percent=ROUND_PERCENT,
        radius_px=disk.radius_px,
        radius_relative=float(np.hypot(RADIUS_RELATIVE, disk.radius_std_px / disk.radius_px)),
        absolute=absolute_intensity(ready),
    )


def absolute_intensity(ready: Prepared) -> AbsoluteIntensity | None:
    """The beam behind the pattern; None without a vacuum pattern."""
    if ready.beam is None:
        return None
    bundle, angle = ready.bundle, round(ready.conditions.convergence_mrad, 1)
    missing = bundle.recent(("missing", angle), lambda: missing_shares(bundle.renderer, angle))
    return AbsoluteIntensity(ready.beam.counts, *missing, ready.beam.zero_loss_nm)


def starts_beside_vacuum(ready: Prepared, *, thick: bool = False) -> list[PatternParameters]:
    """Where a fit may start if much of the averaged area may be vacuum.

    Parameters
    ----------
    ready : Prepared
    thick : bool
        At any thickness; else at thin crystals alone, and nowhere if such patterns match much worse than without.
    """
    angle, vacuum = ready.conditions.convergence_mrad, Vacuum.sizes[-1]
    if thick:
        return _starts_of(ready, library_for(ready.bundle, angle, vacuum=vacuum), count=THICK_STARTS)
    library = library_for(ready.bundle, angle, deepest_nm=BESIDE_VACUUM_NM, vacuum=vacuum)
    return _starts_of(ready, library, within=MATCHES_ALIKE)


def starts_amid_tilts(ready: Prepared) -> list[PatternParameters]:
    """Where a fit may start if the tilts of the averaged area spread; nowhere if a single tilt matches better."""
    library = spread_library_for(ready.bundle, ready.conditions.convergence_mrad, spread_mrad=SPREAD_MRAD)
    return _starts_of(ready, library, within=SPREAD_BETTER)


def _starts_of(
    ready: Prepared, library: Library, *, within: float = np.inf, count: int = OTHER_STARTS
) -> list[PatternParameters]:
    """Best matches of another library; none if it matches worse than so many times the pattern's usual one."""
    matches = match(ready.array, ready.outline, library, mirrored=ready.conditions.mirrored)
    if matches.mismatch[0] > within * ready.matches.mismatch[0]:
        return []
    return [start.parameters for start in choose_starts(matches, count=count)]


def forward_model(ready: Prepared, resolution: Resolution = FINE) -> ForwardModel:
    """Forward model of the pattern, for what is compared without a refinement."""
    cutout = Cutout.around(ready.array, ready.outline, pixels=resolution.pixels, used=ready.picture.used)
    return ForwardModel(ready.bundle.renderer, cutout, mirrored=ready.conditions.mirrored)
