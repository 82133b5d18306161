"""Least squares on the rendered table: all eleven unknowns at once, from several starts.

A fit minimises, over the displacement x from its start,

    |r(x)|² + σ² Σ d(x)²

with the projected residual r of the forward model (`pacbed.analysis.fit.forward`) and the deviations d of the
restraints in units of their standard deviations (`pacbed.analysis.fit.restraints`). σ is the root mean square of r at
the start, so that a restraint counts as one observation of the pattern's own quality. The minimum is sought with the
trust region of Branch, Coleman & Li (SIAM J. Sci. Comput. 21 (1999) 1), which keeps the unknowns inside the table.
The error bar follows from the Jacobian at the end (`pacbed.analysis.fit.covariance`).

Thickness has many minima: every start is followed for a few steps on coarse pixels, the best of them at a middle
resolution, and the best of these is finished on fine pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import optimize

from pacbed.analysis.fit.covariance import Covariance, estimate_covariance, noise_share
from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.limits import SCALES, bounds
from pacbed.analysis.fit.parameters import NAMES, PatternParameters
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.fit.sensitivity import jacobian, residuals, rms
from pacbed.analysis.fit.tried import TriedEffect
from pacbed.outline import Outline
from pacbed.simulation.rendering.renderer import Renderer

BASINS = 3  # of the places reached at a glance, the best so many are followed further
GLANCE = 3  # steps
HOPELESS = 1.5  # a misfit this many times the best is another basin: a wrong one has twice the right one's
TOLERANCE = 1e-5  # of a fit whose bottom counts


class Resolution(NamedTuple):
    """How finely a fit looks.

    Attributes
    ----------
    pixels : int
        Across the circle that is fitted.
    steps : int
        Evaluations of the Jacobian, at most.
    """

    pixels: int
    steps: int


COARSE, MIDDLE, FINE = Resolution(44, 8), Resolution(72, 6), Resolution(130, 10)


@dataclass(frozen=True)
class Fit:
    """Where a fit ended.

    Attributes
    ----------
    parameters : PatternParameters
    misfit : float
        Norm of the residual over that of the pattern without its mean.
    """

    parameters: PatternParameters
    misfit: float


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


@dataclass(frozen=True)
class Refinement:
    """The best fit, its neighbours in other basins, and its error bar.

    Attributes
    ----------
    best : Fit
        On fine pixels.
    others : tuple of Fit
        Ends of the other starts at the middle resolution, best first.
    best_at_middle : Fit
        The best fit there, to compare the others with.
    model : ForwardModel
        On fine pixels.
    covariance : Covariance
        Of the best fit.
    noise : float
        Share of the misfit that noise accounts for.
    effects : tuple of TriedEffect
        What may have happened to the picture, as far as it was tried.
    changes : tuple of callable
        Of the effects in the answer: each takes a forward model and returns it with one more of them.
    """

    best: Fit
    others: tuple[Fit, ...]
    best_at_middle: Fit
    model: ForwardModel
    covariance: Covariance
    noise: float
    effects: tuple[TriedEffect, ...] = ()
    changes: tuple[Callable[[ForwardModel], ForwardModel], ...] = ()

    def seen_by(self, model: ForwardModel) -> ForwardModel:
        """A forward model of other pixels, with the effects that the answer has in it."""
        for change in self.changes:
            model = change(model)
        return model


def refine(
    renderer: Renderer,
    array: np.ndarray,
    outline: Outline,
    starts: Sequence[PatternParameters],
    *,
    restraints: Restraints,
    mirrored: bool = False,
    used: np.ndarray | None = None,
) -> Refinement:
    """Refine from every start a little, from the best at low and at middle resolution, and finish the best.

    Parameters
    ----------
    renderer : Renderer
        Renders the crystal's patterns.
    array : float array, shape (y, x)
        Repaired counts.
    outline : Outline
        Bright region of the pattern.
    starts : sequence of PatternParameters
        At least one.
    restraints : Restraints
        Knowledge from outside the pattern.
    mirrored : bool
        The camera shows the pattern mirrored.
    used : bool array, shape (y, x), optional
        Pixels that count; by default all.
    """
    coarse, middle, fine = (
        ForwardModel(renderer, Cutout.around(array, outline, pixels=level.pixels, used=used), mirrored=mirrored)
        for level in (COARSE, MIDDLE, FINE)
    )
    fits = _distinct(fit(coarse, at, restraints, steps=GLANCE, quick=True) for at in starts)
    fits = _distinct(fit(coarse, one.parameters, restraints, steps=COARSE.steps, quick=True) for one in fits[:BASINS])
    rivals = [one for one in fits if not one.misfit > HOPELESS * fits[0].misfit]  # the best is one, whatever it is
    fits = _distinct(fit(middle, one.parameters, restraints, steps=MIDDLE.steps, quick=True) for one in rivals)
    best = fit(fine, fits[0].parameters, restraints, steps=FINE.steps)
    covariance = estimate_covariance(fine, best.parameters, restraints)
    return Refinement(best, tuple(fits[1:]), fits[0], fine, covariance, noise_share(fine))


def _distinct(fits: Iterable[Fit]) -> list[Fit]:
    """Best first; of those that ended in the same place, the best."""
    kept: list[Fit] = []
    for one in sorted(fits, key=lambda fit: fit.misfit):
        if all(one.parameters.differs(other.parameters, nm=1.0, mrad=0.5) for other in kept):
            kept.append(one)
    return kept


def fit(
    model: ForwardModel,
    start: PatternParameters,
    restraints: Restraints,
    *,
    steps: int,
    quick: bool = False,
    tolerance: float = TOLERANCE,
) -> Fit:
    """Least squares from one start; the unknowns stay inside the table and within reach of the start.

    Parameters
    ----------
    model : ForwardModel
    start : PatternParameters
    restraints : Restraints
        Weighted by the residual of the start, so that they count as one observation each.
    steps : int
        Evaluations of the Jacobian, at most.
    quick : bool
        Rough derivatives, see `pacbed.analysis.fit.sensitivity.jacobian`: for finding a basin, not its bottom.
    tolerance : float
        Relative change of the sum of squares, or of the unknowns, that ends the fit.
    """
    low, high = bounds(model, start)
    start = start.moved(np.clip(np.zeros(len(NAMES)), low + 1e-6, high - 1e-6))
    low, high = bounds(model, start)
    sigma = rms(model.residual(start))

    evaluated, slope = 0, np.empty(0)

    def deviations(vector: np.ndarray) -> np.ndarray:
        nonlocal evaluated
        evaluated += 1
        return residuals(model, start.moved(vector), restraints, sigma)

    def slopes(vector: np.ndarray) -> np.ndarray:
        nonlocal slope
        if evaluated < steps:  # SciPy asks once more at the end, and takes no step from there
            slope = jacobian(model, start.moved(vector), restraints, sigma, quick=quick)
        return slope

    found = optimize.least_squares(
        deviations,
        np.zeros(len(NAMES)),
        slopes,
        bounds=(low, high),
        x_scale=np.array(SCALES),
        max_nfev=steps,
        ftol=tolerance,
        xtol=tolerance,
    )
    end = start.moved(found.x)
    return Fit(end, model.misfit(model.residual(end)))
