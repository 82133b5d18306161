"""Least squares of a vacuum pattern: an evenly lit elliptical disk with a blurred rim on a flat background.

The counts of a pixel at p are

    b + h (1 + s·u) erfc((|u| - 1) R / (√2 w) + w / (√8 R)) / 2,  u = S⁻¹ (p - c) / R

This is a disk blurred by a Gaussian, to first order in w / R: the second term keeps its intensity at h π R². It has
centre c, radius R, width w of the rim, and shading s, the relative change of the intensity from the centre to the
rim. S is the elliptical distortion, the exponential of the symmetric, trace-free matrix ((e, f), (f, -e)) / 100. Level
h, h s and background b enter linearly and are solved for inside (Golub & Pereyra, SIAM J. Numer. Anal. 10 (1973) 413).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import ndimage, optimize, special

from pacbed.outline import Outline, find_outline
from pacbed.patterns import bin_pixels

PIXELS = 160  # across the square that is fitted, as nearly as whole binning factors allow
REACH = 1.6  # half width of that square, in radii
OFF_RIM = 0.2  # in radii; nearer to it second differences are those of the rim


class Linear(NamedTuple):
    """What enters linearly.

    Attributes
    ----------
    level : float
        Counts of a pixel at the centre, above the background.
    shading_x, shading_y : float
        Change of the level from the centre to the rim [counts].
    background : float
        Counts of a pixel without beam.
    """

    level: float
    shading_x: float
    shading_y: float
    background: float


class Shape(NamedTuple):
    """What does not.

    Attributes
    ----------
    x, y : float
        Centre [recorded pixels].
    log_radius : float
        Logarithm of the radius in pixels.
    plus_percent, cross_percent : float
        Elliptical distortion: larger along x and smaller along y; larger along the diagonal x = y [%].
    log_edge : float
        Logarithm of the rim's width in pixels.
    """

    x: float
    y: float
    log_radius: float
    plus_percent: float
    cross_percent: float
    log_edge: float


@dataclass(frozen=True)
class VacuumDisk:
    """The disk of a vacuum pattern.

    Attributes
    ----------
    center_px : tuple of float
        Column and row of its centre; pixel (0, 0) has its centre at (0, 0).
    radius_px : float
        Radius at half its height, the geometric mean of the semi-axes [pixels].
    radius_std_px : float
        Its standard deviation [pixels].
    ellipse_percent : tuple of float
        Distortion as in `Shape` [%].
    edge_px : float
        Standard deviation of the rim's blur [pixels].
    shading_percent : tuple of float
        Change of the intensity from the centre to the rim along x and y [%].
    counts : float
        Of the whole beam, above the background.
    background : float
        Counts of a pixel without beam.
    misfit : float
        Norm of the residual over that of the pattern without its mean.
    noise : float
        Share of the misfit that noise accounts for.
    """

    center_px: tuple[float, float]
    radius_px: float
    radius_std_px: float
    ellipse_percent: tuple[float, float]
    edge_px: float
    shading_percent: tuple[float, float]
    counts: float
    background: float
    misfit: float
    noise: float

    @property
    def misfit_beyond_noise(self) -> float:
        """What something else than noise leaves: a specimen, fringes of the aperture, a second disk."""
        return float(np.sqrt(max(0.0, self.misfit**2 - self.noise**2)))


def fit_disk(array: np.ndarray, outline: Outline | None = None) -> VacuumDisk:
    """Fit the disk of a vacuum pattern.

    Parameters
    ----------
    array : float array, shape (y, x)
        Counts.
    outline : Outline, optional
        Where the disk is, about; by default it is looked for.
    """
    about = find_outline(array) if outline is None else outline
    view = _View.around(array, about)
    start = Shape(*about.center_px, np.log(about.radius_px), 0.0, 0.0, np.log(max(0.5, 0.02 * about.radius_px)))
    spans = np.array([*2 * (0.3 * about.radius_px,), 0.3, 10.0, 10.0, np.log(20.0)])
    found = optimize.least_squares(
        lambda values: view.residual(Shape(*values)), start, bounds=(start - spans, start + spans), x_scale=spans / 10
    )
    shape = Shape(*found.x)
    linear, residual = view.solve(shape)
    radius, signal = float(np.exp(shape.log_radius)), float(np.linalg.norm(view.values - view.values.mean()))
    covariance = np.linalg.pinv(found.jac.T @ found.jac) * (residual @ residual) / max(1, len(residual) - len(start))
    return VacuumDisk(
        (float(shape.x), float(shape.y)),
        radius,
        radius * float(np.sqrt(covariance[2, 2])),
        (float(shape.plus_percent), float(shape.cross_percent)),
        float(np.exp(shape.log_edge)),
        (100 * linear.shading_x / linear.level, 100 * linear.shading_y / linear.level),
        linear.level * np.pi * radius**2,
        linear.background,
        float(np.linalg.norm(residual) / max(signal, 1e-30)),
        view.noise(about) / max(signal, 1e-30),
    )


@dataclass(frozen=True)
class _View:
    """A square of the pattern on coarser pixels.

    Attributes
    ----------
    values, x, y : float array, shape (pixel,)
        Mean counts, and column and row in the recorded pattern.
    shape : tuple of int
        Rows and columns of the square.
    """

    values: np.ndarray
    x: np.ndarray
    y: np.ndarray
    shape: tuple[int, int]

    @classmethod
    def around(cls, array: np.ndarray, about: Outline) -> _View:
        half = REACH * about.radius_px
        factor = max(1, round(2 * half / PIXELS))
        first = [max(0, int(c - half)) for c in about.center_px]
        last = [int(c + half) + 2 for c in about.center_px]
        values = bin_pixels(array[first[1] : last[1], first[0] : last[0]].astype(float), factor)
        row, column = np.indices(values.shape) * factor + (factor - 1) / 2
        return cls(values.ravel(), (column + first[0]).ravel(), (row + first[1]).ravel(), values.shape)

    def noise(self, about: Outline) -> float:
        """Norm of the noise, from second differences off the rim (kernel of Immerkær, CVIU 64 (1996) 300)."""
        second = ndimage.convolve(self.values.reshape(self.shape), np.outer([1, -2, 1], [1, -2, 1]), mode="nearest") / 6
        distance = np.hypot(self.x - about.center_px[0], self.y - about.center_px[1]) / about.radius_px
        variance, lit = second.ravel() ** 2, float(np.mean(distance < 1))
        inside, outside = (float(variance[off].mean()) for off in (distance < 1 - OFF_RIM, distance > 1 + OFF_RIM))
        return float(np.sqrt((lit * inside + (1 - lit) * outside) * len(self.values)))

    def residual(self, shape: Shape) -> np.ndarray:
        """Recorded minus modelled counts with the best level, shading and background, shape (pixel,)."""
        return self.solve(shape)[1]

    def solve(self, shape: Shape) -> tuple[Linear, np.ndarray]:
        """Level, shading and background at their best, and what they leave, shape (pixel,)."""
        radius, edge = np.exp(shape.log_radius), np.exp(shape.log_edge)
        ux, uy = _undistorted((self.x - shape.x) / radius, (self.y - shape.y) / radius, shape)
        disk = special.erfc((np.hypot(ux, uy) - 1) * radius / (np.sqrt(2) * edge) + edge / (np.sqrt(8) * radius)) / 2
        columns = np.stack([disk, disk * ux, disk * uy, np.ones_like(disk)], axis=1)
        best = np.linalg.solve(columns.T @ columns, columns.T @ self.values)
        return Linear(*best.tolist()), self.values - columns @ best


def _undistorted(x: np.ndarray, y: np.ndarray, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates without the elliptical distortion, each of the shape given."""
    plus, cross = shape.plus_percent / 100, shape.cross_percent / 100
    size = float(np.hypot(plus, cross))
    even, odd = np.cosh(size), np.sinh(size) / size if size > 0 else 1.0
    return (even - odd * plus) * x - odd * cross * y, (even + odd * plus) * y - odd * cross * x
