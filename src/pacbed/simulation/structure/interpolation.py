"""How well the spline of a rocking table meets direct computation, between its directions and its planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import correlate1d

from pacbed.patterns import relative_l2
from pacbed.simulation.multislice.aperture import Aperture
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.table.numerics import plane_layout
from pacbed.simulation.table.spline import PREFILTER, PREFILTER_REACH, STENCIL_REACH, plane_matrix, spline_weights

WIDEST_NM = 2.0  # distance of thickness planes that is ever taken, unless the crystal's period is longer
CELLS = 5  # edge of a patch of cells whose nodes serve each other's splines: errors differ much from place to place
POINTS = 2  # directions tried in one cell of a patch
_SIDE = np.arange(1 - STENCIL_REACH - PREFILTER_REACH, CELLS - 1 + STENCIL_REACH + PREFILTER_REACH + 1)
STENCIL = np.stack(np.meshgrid(_SIDE, _SIDE, indexing="ij"), axis=-1).reshape(-1, 2)


def even_directions(count: int, radius_mrad: float, turn: float = 0.0) -> np.ndarray:
    """Directions that cover a disk evenly, on a sunflower's spiral [mrad], shape (count, 2).

    Errors of interpolation differ by orders of magnitude between places of an aperture; random places would find a
    different mean with every draw.

    Parameters
    ----------
    count : int
    radius_mrad : float
        Of the disk [mrad].
    turn : float
        Turns the spiral [rad]: other places, equally even.
    """
    index = np.arange(count)
    radius, azimuth = radius_mrad * np.sqrt((index + 0.5) / count), index * np.pi * (3 - np.sqrt(5)) + turn
    return np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth)], axis=1)


@dataclass(frozen=True)
class Trial:
    """A tilted aperture in which the spline is tried.

    Attributes
    ----------
    engine : PlaneWaveEngine
    aperture : Aperture
        Its mistilt, its beams, and how many directions meet in a pattern.
    field_mrad : float
        Half width of the field of view; beams outside do not count [mrad].
    planes, periods_per_plane : int
        Thickness planes, as in `PlaneWaveEngine.run`.
    """

    engine: PlaneWaveEngine
    aperture: Aperture
    field_mrad: float
    planes: int
    periods_per_plane: int

    def pattern_error(self, pitch_mrad: np.ndarray, centers_mrad: np.ndarray, patterns: np.ndarray) -> np.ndarray:
        """Relative L2 error of a pattern interpolated between directions.

        Parameters
        ----------
        pitch_mrad : numpy.ndarray, shape (2, 2)
            Rows: the two steps between the table's directions [mrad].
        centers_mrad : numpy.ndarray, shape (cell, 2)
            Places in the aperture, the tilt left out; a patch of cells at each is tried [mrad].
        patterns : numpy.ndarray, shape (planes + 1, pixel)
            The aperture's patterns.

        Returns
        -------
        numpy.ndarray, shape (planes + 1,)
        """
        squared = self._squared_error(pitch_mrad, centers_mrad)
        # The errors of the beams that meet in a pixel come from different directions and are independent.
        scatter = self.aperture.direction_share * np.sqrt(squared * len(self.aperture.nodes))
        error: np.ndarray = scatter / np.linalg.norm(patterns, axis=1)
        return error

    def _squared_error(self, pitch_mrad: np.ndarray, centers_mrad: np.ndarray) -> np.ndarray:
        """Squared error of a direction's intensities, summed over the beams in the field, mean over directions."""
        aperture, rng = self.aperture, np.random.default_rng(1)
        corner = np.floor((centers_mrad + aperture.mistilt_mrad) @ np.linalg.inv(pitch_mrad)) - CELLS // 2
        cells = np.stack(np.meshgrid(np.arange(CELLS), np.arange(CELLS), indexing="ij"), axis=-1).reshape(-1, 2)
        cells = np.repeat(cells, POINTS, axis=0)
        fractions = rng.uniform(size=(len(corner), len(cells), 2))
        points = (corner[:, None] + cells + fractions) @ pitch_mrad
        nodes = (corner[:, None] + STENCIL) @ pitch_mrad
        every = np.concatenate([points.reshape(-1, 2), nodes.reshape(-1, 2)]) / self.engine.mrad_per_inverse_a
        options = {"planes": self.planes, "periods_per_plane": self.periods_per_plane}
        intensity = self.engine.run(every, beams=aperture.beams, **options).intensity
        count, side = fractions[..., 0].size, len(_SIDE)
        direct = intensity[:, :count].reshape(len(intensity), len(corner), len(cells), -1)
        samples = intensity[:, count:].reshape(len(intensity), len(corner), side, side, -1)
        coefficients = correlate1d(correlate1d(samples, PREFILTER, axis=2), PREFILTER, axis=3)
        first = cells + PREFILTER_REACH
        spline = np.zeros_like(direct)
        for a, b in np.ndindex(4, 4):
            weight = spline_weights(fractions[..., 0])[..., a] * spline_weights(fractions[..., 1])[..., b]
            spline += coefficients[:, :, first[:, 0] + a, first[:, 1] + b] * weight[None, ..., None]
        seen = _seen(aperture, points - aperture.mistilt_mrad, self.field_mrad)
        squared: np.ndarray = np.where(seen, (spline - direct) ** 2, 0.0).sum(axis=-1).mean(axis=(1, 2))
        return squared


def _seen(aperture: Aperture, directions_mrad: np.ndarray, field_mrad: float) -> np.ndarray:
    """Whether a beam of a direction, its tilt left out, falls into the field of view; shape (..., beam)."""
    seen: np.ndarray = np.linalg.norm(directions_mrad[..., None, :] + aperture.beams_mrad, axis=-1) <= field_mrad
    return seen


def every_period(
    engine: PlaneWaveEngine,
    directions_mrad: np.ndarray,
    *,
    aperture: Aperture,
    field_mrad: float,
    thickness_max_nm: float,
) -> np.ndarray:
    """Intensities after every period down to the largest thickness and some beyond, shape (period + 1, pair).

    Parameters
    ----------
    engine : PlaneWaveEngine
    directions_mrad : numpy.ndarray, shape (direction, 2)
        Where to compute, tilt included [mrad].
    aperture : Aperture
        Gives beams and mistilt.
    field_mrad, thickness_max_nm : float
        Half width of the field of view, and largest thickness [mrad, nm].
    """
    q = directions_mrad / engine.mrad_per_inverse_a
    seen = _seen(aperture, directions_mrad - aperture.mistilt_mrad, field_mrad)
    periods = int(np.ceil((thickness_max_nm + 2 * WIDEST_NM) * 10 / engine.slices.period_a))
    return engine.run(q, beams=aperture.beams, planes=periods, periods_per_plane=1).intensity[:, seen]


def plane_error(every: np.ndarray, period_a: float, spacing_nm: float, thickness_max_nm: float) -> float:
    """Worst relative L2 error between thickness planes from 1 nm on; 0 where every period is a plane.

    The error has the sign of the fourth derivative in depth and does not average out over directions, so that the error
    of the beams is that of a pattern.

    Parameters
    ----------
    every : numpy.ndarray, shape (period + 1, pair)
        From `every_period`.
    period_a : float
        Period of the crystal along the beam [Å].
    spacing_nm : float
        Upper limit of the distance between planes, not above `WIDEST_NM` [nm].
    thickness_max_nm : float
        Largest thickness [nm].
    """
    spacing, planes = plane_layout(period_a, thickness_max_nm, spacing_nm)
    if spacing == 1 or planes < 3:
        return 0.0
    coefficients = plane_matrix(planes + 1) @ every[: planes * spacing + 1 : spacing].astype(float)
    errors = [0.0]
    for period in range(int(np.ceil(10 / period_a)), (planes - 1) * spacing):
        below = period // spacing
        spline = spline_weights(period / spacing - below) @ coefficients[below : below + 4]
        errors.append(relative_l2(spline, every[period]))
    return max(errors)
