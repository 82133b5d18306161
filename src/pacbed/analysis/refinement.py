"""Least squares on the rendered table: every parameter at once, from several starts, with a covariance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize

from pacbed.analysis.forward import ForwardModel, Parameters, View, differ, moved
from pacbed.analysis.preprocess import Outline
from pacbed.simulation.renderer import Renderer

# Displacements are (thickness nm, mistilt x, y mrad, centre x, y mrad, pixel size %, rotation deg, convergence mrad, blur mrad).
NAMES = ("thickness", "mistilt_x", "mistilt_y", "center_x", "center_y", "pixel", "rotation", "convergence", "blur")
STEPS = np.array([0.1, 0.05, 0.05, 0.05, 0.05, 0.2, 0.2, 0.05, 0.05])  # finite differences
SCALES = np.array([1.0, 0.3, 0.3, 0.2, 0.2, 1.0, 1.0, 0.2, 0.2])  # about one step of a search
REACH = np.array([8.0, 4.0, 4.0, 3.0, 3.0, 15.0, 20.0, 1.5, 1.5])  # how far a refinement may leave its start
BLUR_RANGE_MRAD = (0.02, 3.0)
THINNEST_NM = 0.2
VIEW_REACH = 1.35  # radius of the circle that is fitted, in units of the bright region's
BASINS = 3  # ends of the search that are followed further
LEVELS = ((44, 8), (72, 6), (130, 10))  # pixels across that circle and steps, from the search to the final fit


@dataclass(frozen=True)
class Priors:
    """Knowledge from outside the pattern, as Gaussians; a width of None leaves the parameter free.

    Attributes
    ----------
    convergence_mrad, convergence_std_mrad : float, float or None
        Nominal convergence angle. It settles the size of everything where disks do not overlap.
    pixel_mrad, pixel_std : float or None
        Calibrated pixel size and its relative uncertainty.
    """

    convergence_mrad: float
    convergence_std_mrad: float | None = None
    pixel_mrad: float | None = None
    pixel_std: float | None = None

    def residuals(self, at: Parameters) -> np.ndarray:
        """Deviations in units of their standard deviations."""
        found = []
        if self.convergence_std_mrad is not None:
            found.append((at.convergence_mrad - self.convergence_mrad) / self.convergence_std_mrad)
        if self.pixel_mrad is not None and self.pixel_std is not None:
            found.append(np.log(at.pixel_mrad / self.pixel_mrad) / self.pixel_std)
        return np.array(found)


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
    """Refine from every start at low resolution, from the best three at a middle one, and finish the best.

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
    fits = _distinct(fit(coarse, at, priors, steps=LEVELS[0][1]) for at in starts)
    fits = _distinct(fit(middle, one.parameters, priors, steps=LEVELS[1][1]) for one in fits[:BASINS])
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
    sigma = _rms(model.solve(start)[1])

    def residuals(vector: np.ndarray) -> np.ndarray:
        return _residuals(model, moved(start, vector), priors, sigma)

    def slopes(vector: np.ndarray) -> np.ndarray:
        return jacobian(model, moved(start, vector), priors, sigma)

    found = optimize.least_squares(
        residuals,
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
    low[8] = max(low[8], BLUR_RANGE_MRAD[0] - start.blur_mrad)
    high[8] = min(high[8], BLUR_RANGE_MRAD[1] - start.blur_mrad)
    return low, high


def _residuals(model: ForwardModel, at: Parameters, priors: Priors, sigma: float) -> np.ndarray:
    return np.concatenate([model.solve(at)[1], sigma * priors.residuals(at)])


def jacobian(model: ForwardModel, at: Parameters, priors: Priors, sigma: float, *, central: bool = False) -> np.ndarray:
    """Finite differences of the residuals, shape (residual, 9); the steps are finer than fringes, wider than rounding."""
    columns = []
    origin = None if central else _residuals(model, at, priors, sigma)
    for index, step in enumerate(STEPS):
        ahead = _residuals(model, moved(at, step * _unit(index)), priors, sigma)
        if origin is None:
            back = min(step, at.blur_mrad) if NAMES[index] == "blur" else step
            columns.append((ahead - _residuals(model, moved(at, -back * _unit(index)), priors, sigma)) / (step + back))
        else:
            columns.append((ahead - origin) / step)
    return np.stack(columns, axis=1)


def _unit(index: int) -> np.ndarray:
    return np.asarray(np.arange(len(NAMES)) == index, dtype=float)


def estimate_covariance(model: ForwardModel, at: Parameters, priors: Priors) -> tuple[np.ndarray, float]:
    """Covariance from the Jacobian and the residual's variance, and the pixels over which residuals are correlated.

    Where the model is not perfect, neighbouring residuals agree and the pixels are no independent observations:
    the variance is multiplied by the area of the residual's autocorrelation (Bérar & Lelann, J. Appl. Cryst. 24 (1991) 1).
    """
    residual = model.solve(at)[1]
    sigma = _rms(residual)
    slopes = jacobian(model, at, priors, sigma, central=True)
    area = _correlation_area(model, residual)
    degrees = max(1, len(residual) - len(NAMES))
    data = slopes[: len(residual)]
    information = data.T @ data / (np.sum(residual**2) / degrees * area)
    prior = slopes[len(residual) :] / sigma
    information += prior.T @ prior
    scale = np.sqrt(np.maximum(np.diag(information), 1e-30))
    return np.linalg.pinv(information / np.outer(scale, scale), rcond=1e-12) / np.outer(scale, scale), area


def _correlation_area(model: ForwardModel, residual: np.ndarray) -> float:
    """Sum of the residual's autocorrelation over its central peak [pixels], at least 1."""
    mask = model.view.mask
    image = np.zeros(mask.shape)
    image[mask] = residual
    size = [2 * n for n in mask.shape]
    power, norm = (np.fft.irfft2(np.abs(np.fft.rfft2(a, size)) ** 2, size) for a in (image, mask.astype(float)))
    correlation = np.fft.fftshift(np.where(norm > 0.05 * norm.max(), power / np.maximum(norm, 1), 0))
    correlation /= correlation.max()
    labels, _ = ndimage.label(correlation > 0.05)
    peak = labels == labels[mask.shape[0], mask.shape[1]]
    return max(1.0, float(correlation[peak].sum()))


def noise_share(model: ForwardModel) -> float:
    """Misfit that white noise alone would leave, from the pattern's second differences (Immerkær, CVIU 64 (1996) 300)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    inside = ndimage.binary_erosion(model.view.mask)
    second = ndimage.convolve(model.view.values, kernel, mode="nearest")[inside]
    sigma = np.sqrt(np.pi / 2) / 6 * float(np.abs(second).mean())
    return model.misfit(np.full(int(model.view.mask.sum()), sigma))


def _rms(residual: np.ndarray) -> float:
    return float(np.sqrt(np.mean(residual**2)))
