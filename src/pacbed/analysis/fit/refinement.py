"""Least squares on the rendered table: every parameter at once, from several starts, with a covariance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from pacbed.analysis.fit.forward import ForwardModel, Parameters, View, differ, moved
from pacbed.analysis.fit.sensitivity import (
    NAMES,
    STEPS,
    Priors,
    estimate_covariance,
    jacobian,
    noise_share,
    residuals,
    rms,
)
from pacbed.analysis.recording.outline import Outline
from pacbed.simulation.rendering.renderer import Renderer

SCALES = np.array([1.0, 0.3, 0.3, 0.2, 0.2, 1.0, 1.0, 0.2, 0.2])  # about one step of a search
REACH = np.array([8.0, 4.0, 4.0, 3.0, 3.0, 15.0, 20.0, 1.5, 1.5])  # how far a refinement may leave its start
BLUR_RANGE_MRAD = (0.02, 3.0)
EDGE_ROOM_MRAD = 0.1  # for what the fitted pixel size adds to the width of the aperture's edge
THINNEST_NM = 0.2
VIEW_REACH = 1.35  # radius of the circle that is fitted, in units of the bright region's
BASINS = 3  # of the places reached at a glance, the best so many are followed further
GLANCE = 3  # steps
HOPELESS = 1.5  # a misfit this many times the best is another basin: a wrong one has twice the right one's
LEVELS = ((44, 8), (72, 6), (130, 10))  # pixels across that circle and steps, from the search to the final fit


@dataclass(frozen=True)
class Fit:
    """Where a refinement ended.

    Attributes
    ----------
    parameters : Parameters
    misfit : float
        Norm of the residual over that of the pattern without its mean.
    """

    parameters: Parameters
    misfit: float


@dataclass(frozen=True)
class Refinement:
    """The best fit, its neighbours in other basins, and its covariance.

    Attributes
    ----------
    best : Fit
    others : tuple of Fit
        Ends of the other starts at the middle resolution, best first.
    best_at_middle : Fit
        The best fit there, to compare the others with.
    model : ForwardModel
        Of the finest view.
    covariance : float array, shape (9, 9)
        Of the displacements, in the units of `NAMES`.
    correlation_pixels : float
        Pixels over which residuals are correlated; the covariance is scaled by it.
    noise : float
        Share of the misfit that noise accounts for.
    """

    best: Fit
    others: tuple[Fit, ...]
    best_at_middle: Fit
    model: ForwardModel
    covariance: np.ndarray
    correlation_pixels: float
    noise: float


def refine(
    renderer: Renderer,
    array: np.ndarray,
    outline: Outline,
    starts: Sequence[Parameters],
    *,
    priors: Priors,
    mirrored: bool = False,
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
    starts : sequence of Parameters
        At least one.
    priors : Priors
        Knowledge from outside the pattern.
    mirrored : bool
        The camera shows the pattern mirrored.
    """
    views = [View.around(array, outline.center_px, outline.radius_px, reach=VIEW_REACH, pixels=n) for n, _ in LEVELS]
    coarse, middle, fine = (ForwardModel(renderer, view, mirrored=mirrored) for view in views)
    fits = _distinct(fit(coarse, at, priors, steps=GLANCE) for at in starts)
    fits = _distinct(fit(coarse, one.parameters, priors, steps=LEVELS[0][1]) for one in fits[:BASINS])
    rivals = [one for one in fits if one.misfit < HOPELESS * fits[0].misfit]
    fits = _distinct(fit(middle, one.parameters, priors, steps=LEVELS[1][1]) for one in rivals)
    best = fit(fine, fits[0].parameters, priors, steps=LEVELS[2][1])
    covariance, correlation = estimate_covariance(fine, best.parameters, priors)
    return Refinement(best, tuple(fits[1:]), fits[0], fine, covariance, correlation, noise_share(fine))


def _distinct(fits: Iterable[Fit]) -> list[Fit]:
    """Best first; of those that ended in the same place, the best."""
    kept: list[Fit] = []
    for one in sorted(fits, key=lambda fit: fit.misfit):
        if all(differ(one.parameters, other.parameters, nm=1.0, mrad=0.5) for other in kept):
            kept.append(one)
    return kept


def fit(model: ForwardModel, start: Parameters, priors: Priors, *, steps: int) -> Fit:
    """Least squares from one start; parameters stay inside the table and within reach of the start.

    Parameters
    ----------
    model : ForwardModel
    start : Parameters
    priors : Priors
        Weighted by the residual of the start, so that they count as one observation each.
    steps : int
        Evaluations of the Jacobian, at most.
    """
    low, high = _bounds(model, start)
    start = moved(start, np.clip(np.zeros(len(NAMES)), low + 1e-6, high - 1e-6))
    low, high = _bounds(model, start)
    sigma = rms(model.solve(start)[1])

    def deviations(vector: np.ndarray) -> np.ndarray:
        return residuals(model, moved(start, vector), priors, sigma)

    def slopes(vector: np.ndarray) -> np.ndarray:
        return jacobian(model, moved(start, vector), priors, sigma)

    found = optimize.least_squares(
        deviations,
        np.zeros(len(NAMES)),
        slopes,
        bounds=(low, high),
        x_scale=SCALES,
        max_nfev=steps,
        ftol=1e-5,
        xtol=1e-5,
    )
    end = moved(start, found.x)
    return Fit(end, model.misfit(model.solve(end)[1]))


def _bounds(model: ForwardModel, start: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest displacement: inside the table, within reach."""
    low, high = -REACH, REACH.copy()
    margin = STEPS[0]
    low[0] = max(low[0], THINNEST_NM + margin - start.thickness_nm)
    high[0] = min(high[0], model.renderer.table.thickness_max_nm - margin - start.thickness_nm)
    # The disk and its edge stay inside the table; a larger pixel, which widens the edge, needs a little more.
    room = model.mistilt_room_mrad(start) - EDGE_ROOM_MRAD
    high[7] = max(low[7] + 1e-3, min(high[7], room))
    low[8] = max(low[8], BLUR_RANGE_MRAD[0] - start.blur_mrad)
    high[8] = min(high[8], BLUR_RANGE_MRAD[1] - start.blur_mrad)
    return low, high
