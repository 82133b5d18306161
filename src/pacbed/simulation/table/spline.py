"""Uniform cubic splines: the interpolation of a rocking table in the two directions and in thickness.

Along one axis, with coefficients c_k at the nodes k,

    f(x) = sum over k of c_k phi(x - k),    phi = b + KERNEL b'',

b being the cubic B-spline, so that a value combines four coefficients. Such kernels reproduce cubics; their slope is
not continuous, but of all kernels that need four coefficients some of them err least (O-MOMS, with 1/42: T. Blu, P.
Thévenaz, M. Unser, IEEE Trans. Image Process. 10, 1069 (2001)). Coefficients come from samples once, when a table is
gathered: along directions by the filter `PREFILTER`, along thickness by `plane_matrix`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

PREFILTER_REACH = 5  # samples on each side that a coefficient depends on
STENCIL_REACH = 2  # nodes on each side that a value depends on
# Measured on rocking curves of 100 nm, whose waves reach up to the Nyquist frequency: more than 1/42 helps the short
# ones. At equal error a table needs three quarters of the directions that B-splines through the samples do.
KERNEL = 0.036
SIXTH, TWO_THIRDS, CURVED = np.float32(1 / 6), np.float32(2 / 3), np.float32(KERNEL)
FITTED_BAND = 0.68  # of the Nyquist frequency: waves up to there are what the prefilter is made for
NEGLIGIBLE_ERROR = 1e-4  # root mean square error of a wave that need not become smaller
IMAGES = np.arange(-4, 5)  # of a wave, at multiples of the sampling frequency, that a kernel lets through


def spline_weights(fraction: float | np.ndarray) -> np.ndarray:
    """Weights of the four coefficients around a position.

    Parameters
    ----------
    fraction : float or ndarray, shape (...)
        Position between the nodes 0 and 1 [node distance].

    Returns
    -------
    ndarray, shape (..., 4)
        phi(fraction + 1), phi(fraction), phi(fraction - 1), phi(fraction - 2): weights at the nodes -1, 0, 1, 2.
    """
    f = np.asarray(fraction, dtype=float)
    bspline = np.stack([(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3], axis=-1) / 6
    curvature = np.stack([1 - f, 3 * f - 2, 1 - 3 * f, f], axis=-1)
    weights: np.ndarray = bspline + KERNEL * curvature
    return weights


def _prefilter() -> np.ndarray:
    """Symmetric filter that turns samples into coefficients, shape (11,).

    A spline that passes through the samples is not the nearest one to what was sampled: with a kernel's response c(w)
    the mean squared error of a wave over all positions is 1 - 2 p(w) c(w) + p(w)^2 sum_k c(w + 2 pi k)^2 (T. Blu, M.
    Unser, IEEE Trans. Signal Process. 47, 2783 (1999)). The filter p is a polynomial in s = 2 - 2 cos(w) that keeps
    cubics and otherwise comes nearest, over the fitted waves, to the smallest error that any filter reaches. A longer
    one would need more directions around the cone.
    """
    w = np.linspace(1e-3, FITTED_BAND * np.pi, 400)
    s = 2 - 2 * np.cos(w)
    response, images = _response(w), np.sum(_response(w[:, None] + 2 * np.pi * IMAGES) ** 2, axis=1)
    weight = 1 / (np.maximum(1 - response**2 / images, 0.0) + NEGLIGIBLE_ERROR**2)
    second = 1 / 6 + KERNEL  # the kernel's response begins with 1 - second w^2
    powers = np.stack([s**power for power in range(2, PREFILTER_REACH + 1)], axis=1)
    missing = response - images * (1 + second * s)
    fitted = np.linalg.solve((powers * (weight * images)[:, None]).T @ powers, powers.T @ (weight * missing))
    coefficients = [second, *fitted]
    taps = power = np.eye(2 * PREFILTER_REACH + 1)[PREFILTER_REACH]
    for coefficient in coefficients:
        power = np.convolve(power, [-1, 2, -1], mode="same")
        taps = taps + coefficient * power
    return taps


def _response(w: np.ndarray) -> np.ndarray:
    """Fourier transform of the kernel at angular frequencies per node."""
    response: np.ndarray = np.sinc(w / (2 * np.pi)) ** 4 * (1 - KERNEL * w**2)
    return response


PREFILTER = _prefilter()


def plane_matrix(planes: int) -> np.ndarray:
    """Matrix from samples at thickness planes to spline coefficients.

    The spline passes through every sample; its third derivative is continuous at the second and the last but one
    ("not a knot"). With fewer than four samples its ends are straight instead.

    Parameters
    ----------
    planes : int
        Samples, at the nodes 0 to planes - 1.

    Returns
    -------
    ndarray, shape (planes + 2, planes)
        Rows are the coefficients at the nodes -1 to planes.
    """
    size = planes + 2
    system = np.zeros((size, size))
    for row in range(planes):
        system[row, row : row + 3] = spline_weights(0.0)[:3]
    end = np.array([1, -4, 6, -4, 1]) if planes >= 4 else np.array([1, -2, 1]) if planes > 1 else np.array([1, -1])
    system[planes, : len(end)] = end
    system[planes + 1, size - len(end) :] = end
    return np.linalg.solve(system, np.eye(size)[:, :planes])


def reach_mrad(pitch_mrad: np.ndarray, nodes: int) -> float:
    """Largest distance of a node that lies up to `nodes` steps away along both axes of a grid [mrad].

    `pitch_mrad` has the two steps as rows, shape (2, 2) [mrad].
    """
    corners = nodes * np.array([[1, 1], [1, -1]]) @ np.asarray(pitch_mrad)
    return float(np.linalg.norm(corners, axis=1).max())


@njit(nogil=True, cache=True, fastmath=True, inline="always")
def four_weights(f, weights, at):
    """`spline_weights` of one position, compiled.

    Parameters
    ----------
    f : float32
        Position between the nodes 0 and 1 [node distance].
    weights : ndarray of float32, shape (axis, 4)
        Receives them in row `at`.
    at : int
    """
    half, one, two, three, g = np.float32(0.5), np.float32(1.0), np.float32(2.0), np.float32(3.0), np.float32(1.0) - f
    weights[at, np.uintp(0)] = g * (g * g * SIXTH + CURVED)
    weights[at, np.uintp(1)] = f * f * (half * f - one) + TWO_THIRDS + CURVED * (three * f - two)
    weights[at, np.uintp(2)] = g * g * (half * g - one) + TWO_THIRDS + CURVED * (three * g - two)
    weights[at, np.uintp(3)] = f * (f * f * SIXTH + CURVED)
