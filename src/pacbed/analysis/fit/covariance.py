"""The error bar of a fit: covariance of its eleven unknowns from the residuals, and the share that noise has in them.

At the minimum, with the Jacobian J of the projected residuals r, N pixels and n = 11 unknowns,

    C⁻¹ = JᵀJ / (A s²) + Σ q qᵀ + W⁻²,  s² = |r|² / (N - n)

q is the derivative of one restraint's deviation in units of its standard deviation, W the width of what is known
without a pattern, far wider than what a pattern tells. With independent residuals A is
1, and C is the usual estimate of least squares. Where the model is not perfect, neighbouring residuals agree and are
no independent observations: A is the area of their autocorrelation [pixels], by which the variance is too small
(Bérar & Lelann, J. Appl. Cryst. 24 (1991) 1). The autocorrelation is tapered by a Gaussian: it is an estimate from one
picture, so that far away it is noise, and a sum without a sharp end does not jump when a fit changes a little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.fft import next_fast_len

from pacbed.analysis.fit.cutout import FITTED_RADIUS
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import NAMES, Displacement, PatternParameters
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.fit.sensitivity import jacobian, rms

# ASSUME: residuals agree over at most some tenth of the disk (measured on published and on simulated patterns).
CORRELATED = 0.3  # standard deviation of the taper, in units of the bright region's radius
# What is known of the unknowns without any pattern, as standard deviations: a blur much finer than a pixel leaves no
# trace, and noise alone says nothing of a thickness. A pattern that says something does so ten times better and more.
WIDEST = Displacement(
    thickness_nm=100.0,
    mistilt_x_mrad=10.0,
    mistilt_y_mrad=10.0,
    center_x_mrad=10.0,
    center_y_mrad=10.0,
    pixel_percent=50.0,
    rotation_deg=90.0,
    convergence_mrad=10.0,
    blur_mrad=1.0,
    ellipse_plus_percent=20.0,
    ellipse_cross_percent=20.0,
)


@dataclass(frozen=True)
class Covariance:
    """Covariance of the unknowns of a fit.

    Attributes
    ----------
    matrix : float array, shape (11, 11)
        In the order and the units of `Displacement`.
    correlation_pixels : float
        Area over which residuals are correlated [pixels]; the variance has been multiplied by it.
    """

    matrix: np.ndarray
    correlation_pixels: float

    @property
    def std(self) -> Displacement:
        """Standard deviations."""
        return Displacement(*np.sqrt(np.maximum(np.diag(self.matrix), 0)).tolist())

    def of(self, *names: str) -> np.ndarray:
        """Covariance of some unknowns, shape (name, name)."""
        chosen = [NAMES.index(name) for name in names]
        return self.matrix[np.ix_(chosen, chosen)]


def estimate_covariance(model: ForwardModel, at: PatternParameters, restraints: Restraints) -> Covariance:
    """Covariance of the unknowns at the end of a fit.

    Parameters
    ----------
    model : ForwardModel
    at : PatternParameters
        Where the fit ended.
    restraints : Restraints
    """
    residual = model.residual(at)
    sigma = rms(residual)
    slopes = jacobian(model, at, restraints, sigma)
    area = correlation_area(model, residual)
    degrees = max(1, len(residual) - len(NAMES))
    data = slopes[: len(residual)]
    information = data.T @ data / (np.sum(residual**2) / degrees * area)
    restrained = slopes[len(residual) :] / sigma
    information += restrained.T @ restrained + np.diag(1 / np.square(WIDEST))
    scale = np.sqrt(np.maximum(np.diag(information), 1e-30))
    matrix = np.linalg.pinv(information / np.outer(scale, scale), rcond=1e-12) / np.outer(scale, scale)
    return Covariance(matrix, area)


def correlation_area(model: ForwardModel, residual: np.ndarray) -> float:
    """Sum of a residual's tapered autocorrelation, at least 1 [pixels].

    Parameters
    ----------
    model : ForwardModel
    residual : float array, shape (pixel,)
        Over the model's mask.
    """
    mask = model.cutout.mask
    image = np.zeros(mask.shape)
    image[mask] = residual
    width = CORRELATED * np.sqrt(mask.sum() / np.pi) / FITTED_RADIUS
    size = [next_fast_len(n + int(3 * width), real=True) for n in mask.shape]  # farther pairs count nothing
    power, pairs = (np.fft.irfft2(np.abs(np.fft.rfft2(a, size)) ** 2, size) for a in (image, mask.astype(float)))
    correlation = power / np.maximum(pairs, 1)
    down, right = (np.exp(-0.5 * (np.fft.fftfreq(n, 1 / n) / width) ** 2) for n in size)
    return max(1.0, float(down @ correlation @ right) / max(float(correlation[0, 0]), 1e-30))


def noise_share(model: ForwardModel) -> float:
    """Misfit that noise alone would leave, from second differences (kernel of Immerkær, CVIU 64 (1996) 300)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    inside = ndimage.binary_erosion(model.cutout.mask)
    second = ndimage.convolve(model.cutout.values, kernel, mode="nearest")[inside]
    sigma = float(np.sqrt(np.mean(second**2))) / 6
    return model.misfit(np.full(int(model.cutout.mask.sum()), sigma))
