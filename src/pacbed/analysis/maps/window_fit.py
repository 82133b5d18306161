"""Least squares of one window: thickness, mistilt and centre, the rest held at what all windows share.

Gauss-Newton on coarse pixels. The pattern is rendered once for itself and once for each of thickness and mistilt; the
centre's derivatives are the pattern's gradient, gain and background are solved for inside
(`pacbed.analysis.fit.forward`). The steps after the first render the pattern alone: what the residual did corrects the
derivatives (Broyden, Math. Comp. 19 (1965) 577).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.covariance import Covariance, correlation_area
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.limits import THINNEST_NM
from pacbed.analysis.fit.parameters import NAMES, PatternParameters
from pacbed.analysis.fit.sensitivity import STEPS, pattern_changes
from pacbed.analysis.maps.constants import OWN
from pacbed.patterns import bin_pixels

LONGEST = np.array([2.5, 0.9, 0.9, 0.8, 0.8])  # step in each of `OWN`: beyond it the pattern is not linear in them
SETTLED = 0.3  # chi-square that a step gains, half an error of an unknown, after which what is left is far less
STEPS_A_ROUND = 2
DAMPING = 1e-4  # of the diagonal
COARSER = 4  # pixels of a fit along the edge of a cell whose mean residual is looked at
FEWEST_CELL = 8  # pixels of a cell that count


class Slopes(NamedTuple):
    """How the residual answers to the unknowns, and what they solve.

    Attributes
    ----------
    columns : float array, shape (pixel, 5)
        Derivatives by the unknowns, in the order of `OWN`.
    """

    columns: np.ndarray

    def step(self, residual: np.ndarray) -> np.ndarray:
        """The displacement that makes the residual, shape (pixel,), smallest, no longer than `LONGEST`; (5,)."""
        normal = self.columns.T @ self.columns
        normal[np.diag_indices(len(normal))] *= 1 + DAMPING
        found = -np.linalg.lstsq(normal, self.columns.T @ residual, rcond=1e-12)[0]
        return np.asarray(found / max(1.0, float(np.max(np.abs(found) / LONGEST))))

    def corrected(self, step: np.ndarray, change: np.ndarray) -> Slopes:
        """Derivatives that explain the change of the residual, shape (pixel,), over a step, shape (5,)."""
        scaled = step / LONGEST**2
        return Slopes(self.columns + np.outer(change - self.columns @ step, scaled / (step @ scaled)))

    def settled(self, step: np.ndarray, residual: np.ndarray) -> bool:
        """Whether a step is short compared with the errors of the unknowns."""
        variance = residual @ residual / max(1, len(residual) - len(OWN))
        moved = self.columns @ step
        return bool(moved @ moved <= SETTLED * variance)


class WindowFit(NamedTuple):
    """Where a fit of a window stands.

    Attributes
    ----------
    parameters : PatternParameters
    misfit : float
        Norm of the residual over that of the pattern without its mean.
    slopes : Slopes
        Of a place hardly any distance from there.
    settled : bool
        The last step was short compared with the errors.
    """

    parameters: PatternParameters
    misfit: float
    slopes: Slopes
    settled: bool


def slopes_at(model: ForwardModel, at: PatternParameters) -> Slopes:
    """Derivatives of the residual at some parameters."""
    best = model.solve(at)
    return Slopes(model.projected(pattern_changes(model, at, best, names=OWN, quick=True), best))


def begin(model: ForwardModel, start: PatternParameters) -> WindowFit:
    """Render the derivatives at a start, and take one step: enough to tell basins apart.

    Parameters
    ----------
    model : ForwardModel
        Of the window, on coarse pixels.
    start : PatternParameters
        With the constants that all windows share.
    """
    at = _inside(model, start)
    here = WindowFit(at, model.misfit(model.residual(at)), slopes_at(model, at), settled=False)
    return _followed(model, here, steps=1)


def finish(model: ForwardModel, fit: WindowFit, *, rounds: int) -> WindowFit:
    """Follow the slopes downhill until nothing is to be gained.

    Parameters
    ----------
    model : ForwardModel
    fit : WindowFit
        From `begin`.
    rounds : int
        How often derivatives are rendered anew, at most.
    """
    fit = _followed(model, fit, steps=STEPS_A_ROUND)
    for _ in range(rounds):
        if fit.settled:
            break
        fit = _followed(model, fit._replace(slopes=slopes_at(model, fit.parameters)), steps=STEPS_A_ROUND)
    return fit


def _followed(model: ForwardModel, fit: WindowFit, *, steps: int) -> WindowFit:
    """So many steps further, or to where the last was short or led nowhere."""
    at, slopes, settled = fit.parameters, fit.slopes, fit.settled
    residual = model.residual(at)
    for _ in range(steps):
        step = slopes.step(residual)
        settled = slopes.settled(step, residual)
        ahead = _inside(model, _displaced(at, step))
        found = model.residual(ahead)
        if not found @ found < residual @ residual:
            break
        slopes = slopes.corrected(step, found - residual)
        at, residual = ahead, found
        if settled:
            break
    return WindowFit(at, model.misfit(residual), slopes, settled)


def _displaced(at: PatternParameters, by: np.ndarray) -> PatternParameters:
    """Parameters after a displacement of the unknowns of a window."""
    full = np.zeros(len(NAMES))
    full[[NAMES.index(name) for name in OWN]] = by
    return at.moved(full)


def _inside(model: ForwardModel, at: PatternParameters) -> PatternParameters:
    """The nearest parameters that the table holds, with room for derivatives."""
    deepest = model.renderer.table.thickness_max_nm - 2 * STEPS.thickness_nm
    limit = max(0.0, model.mistilt_limit_mrad(at) - 2 * STEPS.mistilt_x_mrad)
    size = float(np.hypot(*at.mistilt_mrad))
    shrink = min(1.0, limit / size) if size > 0 else 1.0
    return replace(
        at,
        thickness_nm=float(np.clip(at.thickness_nm, THINNEST_NM, deepest)),
        mistilt_mrad=(at.mistilt_mrad[0] * shrink, at.mistilt_mrad[1] * shrink),
    )


def window_covariance(model: ForwardModel, fit: WindowFit) -> Covariance:
    """Covariance of the unknowns of a window, as `pacbed.analysis.fit.covariance` estimates it; 0 for the shared ones.

    Parameters
    ----------
    model : ForwardModel
    fit : WindowFit
        Where it ended.
    """
    residual, columns = model.residual(fit.parameters), fit.slopes.columns
    area = correlation_area(model, residual)
    variance = float(residual @ residual) / max(1, len(residual) - len(OWN)) * area
    normal = columns.T @ columns
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-30))
    own = np.linalg.pinv(normal / np.outer(scale, scale), rcond=1e-12) / np.outer(scale, scale) * variance
    matrix = np.zeros((len(NAMES), len(NAMES)))
    indices = [NAMES.index(name) for name in OWN]
    matrix[np.ix_(indices, indices)] = own
    return Covariance(matrix, area)


def coarse_chi_square(model: ForwardModel, at: PatternParameters) -> float:
    """Mean square of cell means of the residual, in units of what independent pixels would leave: near 1 for noise.

    A wrong basin leaves fringes, wide compared with a pixel, which noise hides from the misfit but not from the means.

    Parameters
    ----------
    model : ForwardModel
    at : PatternParameters
        Where the fit ended.
    """
    mask, residual = model.cutout.mask, model.residual(at)
    image = np.zeros(mask.shape)
    image[mask] = residual
    area = COARSER**2
    pixels, sums, squares = (area * bin_pixels(one, COARSER) for one in (mask.astype(float), image, image**2))
    counted = pixels >= FEWEST_CELL
    pixels, sums, squares = pixels[counted], sums[counted], squares[counted]
    between = sums**2 / np.maximum(pixels, 1)
    within = float(np.sum(squares - between)) / max(1.0, float(np.sum(pixels - 1)))
    return float(np.mean(between)) / max(within, 1e-30) if counted.any() else 0.0
