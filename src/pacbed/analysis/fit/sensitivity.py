"""How the residuals answer to each parameter: priors, finite differences, covariance, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.forward import ForwardModel, Parameters, moved

# Displacements, see `moved`: nm, mrad, mrad, mrad, mrad, %, deg, mrad, mrad.
NAMES = ("thickness", "mistilt_x", "mistilt_y", "center_x", "center_y", "pixel", "rotation", "convergence", "blur")
STEPS = np.array([0.1, 0.05, 0.05, 0.05, 0.05, 0.2, 0.2, 0.05, 0.05])  # finite differences


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


def residuals(model: ForwardModel, at: Parameters, priors: Priors, sigma: float) -> np.ndarray:
    """Residuals over the mask, then the priors' deviations times `sigma`, the residuals' own standard deviation."""
    return np.concatenate([model.solve(at)[1], sigma * priors.residuals(at)])


def jacobian(model: ForwardModel, at: Parameters, priors: Priors, sigma: float, *, central: bool = False) -> np.ndarray:
    """Finite differences of the residuals, shape (residual, 9); finer than fringes, wider than rounding."""
    columns = []
    origin = None if central else residuals(model, at, priors, sigma)
    for index, step in enumerate(STEPS):
        ahead = residuals(model, moved(at, step * _unit(index)), priors, sigma)
        if origin is None:
            back = min(step, at.blur_mrad) if NAMES[index] == "blur" else step
            columns.append((ahead - residuals(model, moved(at, -back * _unit(index)), priors, sigma)) / (step + back))
        else:
            columns.append((ahead - origin) / step)
    return np.stack(columns, axis=1)


def _unit(index: int) -> np.ndarray:
    return np.asarray(np.arange(len(NAMES)) == index, dtype=float)


def estimate_covariance(model: ForwardModel, at: Parameters, priors: Priors) -> tuple[np.ndarray, float]:
    """Covariance from the Jacobian and the residual's variance, and the pixels over which residuals are correlated.

    Where the model is not perfect, neighbouring residuals agree and the pixels are no independent observations:
    the variance is multiplied by the area of the residual's autocorrelation (Bérar & Lelann, J. Appl. Cryst. 24, 1).
    """
    residual = model.solve(at)[1]
    sigma = rms(residual)
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
    """Misfit that noise alone would leave, from second differences (kernel of Immerkær, CVIU 64 (1996) 300)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    inside = ndimage.binary_erosion(model.view.mask)
    second = ndimage.convolve(model.view.values, kernel, mode="nearest")[inside]
    sigma = float(np.sqrt(np.mean(second**2))) / 6
    return model.misfit(np.full(int(model.view.mask.sum()), sigma))


def rms(residual: np.ndarray) -> float:
    return float(np.sqrt(np.mean(residual**2)))
