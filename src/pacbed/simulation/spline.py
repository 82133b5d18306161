"""Uniform cubic B-splines: the interpolation of a rocking table in the two directions and in thickness.

A cubic B-spline through samples errs up to ten times less than Lagrange's cubic through the same samples (P. Thévenaz,
T. Blu, M. Unser, IEEE Trans. Med. Imaging 19, 739 (2000)), so a table needs less than half the directions. The price
is paid once, when a table is gathered: samples become coefficients.
"""

from __future__ import annotations

import numpy as np

PREFILTER_REACH = 3  # samples on each side that a coefficient depends on
STENCIL_REACH = 2  # nodes on each side that a value depends on
# The prefilter is fitted where 2 - 2 cos(w) is at most this, that is to four samples per period and more.
_FITTED = 2.0


def bspline_weights(fraction: float | np.ndarray) -> np.ndarray:
    """Weights of the coefficients at -1, 0, 1, 2 for a position between 0 and 1; shape (..., 4)."""
    f = np.asarray(fraction, dtype=float)
    return np.stack([(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3], axis=-1) / 6


def _prefilter() -> np.ndarray:
    """Symmetric filter that turns samples into coefficients, shape (7,).

    The exact inverse of the B-spline's samples (1, 4, 1) / 6 is 1 / (1 - s / 6) with s = 2 - 2 cos(w), and infinitely
    long. A table ends at its cone, so that a short filter is wanted: the cubic in s that is nearest to the inverse,
    exact for constants.
    """
    s = np.linspace(1e-3, _FITTED, 400)
    powers = np.stack([s, s**2, s**3], axis=1)
    factor = 1 - s / 6
    coefficients = np.linalg.lstsq(powers * factor[:, None], 1 - factor, rcond=None)[0]
    taps, power = np.zeros(7), np.eye(7)[3]
    taps += power
    for coefficient in coefficients:
        power = np.convolve(power, [-1, 2, -1], mode="same")
        taps += coefficient * power
    return taps


PREFILTER = _prefilter()


def plane_matrix(planes: int) -> np.ndarray:
    """Matrix from samples at 0 ... planes - 1 to coefficients at -1 ... planes; shape (planes + 2, planes).

    The spline passes through every sample; its third derivative is continuous at the second and the last but one
    ("not a knot"). With fewer than four samples its ends are straight instead.
    """
    size = planes + 2
    system = np.zeros((size, size))
    for row in range(planes):
        system[row, row : row + 3] = np.array([1, 4, 1]) / 6
    end = np.array([1, -4, 6, -4, 1]) if planes >= 4 else np.array([1, -2, 1]) if planes > 1 else np.array([1, -1])
    system[planes, : len(end)] = end
    system[planes + 1, size - len(end) :] = end
    return np.linalg.solve(system, np.eye(size)[:, :planes])


def reach_mrad(pitch_mrad: np.ndarray, nodes: int) -> float:
    """Largest distance of a node that lies up to `nodes` steps away along both axes of a grid [mrad]."""
    corners = nodes * np.array([[1, 1], [1, -1]]) @ np.asarray(pitch_mrad)
    return float(np.linalg.norm(corners, axis=1).max())
