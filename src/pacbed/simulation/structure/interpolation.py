"""How well the spline of a rocking table meets direct computation, between its directions and its planes."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate1d

from pacbed.patterns import relative_l2
from pacbed.simulation.structure.trial_aperture import ThicknessPlanes, TrialAperture
from pacbed.simulation.table.settings import plane_layout
from pacbed.simulation.table.spline import PREFILTER, PREFILTER_REACH, STENCIL_REACH, plane_matrix, spline_weights

WIDEST_NM = 2.0  # distance of thickness planes that is ever taken, unless the crystal's period is longer
PATCH_CELLS = 5  # edge of a patch of cells whose nodes serve each other's splines: errors differ much between patches
POINTS_PER_CELL = 2  # directions tried in one cell of a patch
_SIDE = np.arange(1 - STENCIL_REACH - PREFILTER_REACH, PATCH_CELLS - 1 + STENCIL_REACH + PREFILTER_REACH + 1)


def direction_error(
    trial: TrialAperture,
    pitch_mrad: np.ndarray,
    centers_mrad: np.ndarray,
    *,
    planes: ThicknessPlanes,
    patterns: np.ndarray,
) -> np.ndarray:
    """Relative L2 error of a pattern interpolated between directions, shape (plane + 1,).

    Parameters
    ----------
    trial : TrialAperture
        The aperture.
    pitch_mrad : numpy.ndarray, shape (2, 2)
        Rows: the two steps between the table's directions [mrad].
    centers_mrad : numpy.ndarray, shape (patch, 2)
        Directions in the aperture, its mistilt included; a patch of cells at each is tried [mrad].
    planes : ThicknessPlanes
        Thicknesses.
    patterns : numpy.ndarray, shape (plane + 1, pixel)
        The aperture's patterns at these.
    """
    squared = _squared_error(trial, pitch_mrad, centers_mrad, planes)
    # The errors of the beams that meet in a pixel come from different directions and are independent.
    scatter = trial.aperture.direction_share * np.sqrt(squared * len(trial.aperture.nodes))
    return np.asarray(scatter / np.linalg.norm(patterns, axis=1))


def _squared_error(
    trial: TrialAperture, pitch_mrad: np.ndarray, centers_mrad: np.ndarray, planes: ThicknessPlanes
) -> np.ndarray:
    """Squared error of a direction's intensities, sum over the beams in the field, mean over directions; (plane + 1,).

    Each patch is a small table of its own: its nodes are computed, filtered to coefficients, and the spline is compared
    with what is computed at directions between them.
    """
    corners = np.floor(centers_mrad @ np.linalg.inv(pitch_mrad)) - PATCH_CELLS // 2
    cells = np.repeat(_square(np.arange(PATCH_CELLS)), POINTS_PER_CELL, axis=0)
    fractions = np.random.default_rng(1).uniform(size=(len(corners), len(cells), 2))
    points = (corners[:, None] + cells + fractions) @ pitch_mrad
    nodes = (corners[:, None] + _square(_SIDE)) @ pitch_mrad
    intensity = trial.run_at(np.concatenate([points.reshape(-1, 2), nodes.reshape(-1, 2)]), planes)
    between, on_nodes = np.split(intensity, [fractions[..., 0].size], axis=1)
    direct = between.reshape(len(intensity), len(corners), len(cells), -1)
    samples = on_nodes.reshape(len(intensity), len(corners), len(_SIDE), len(_SIDE), -1)
    spline = _interpolated(samples, cells, fractions)
    squared = np.where(trial.seen(points), (spline - direct) ** 2, 0.0)
    return np.asarray(squared.sum(axis=-1).mean(axis=(1, 2)))


def _square(axis: np.ndarray) -> np.ndarray:
    """All pairs of entries, shape (pair, 2)."""
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


def _interpolated(samples: np.ndarray, cells: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """The spline through samples (plane, patch, node 1, node 2, beam) in cells; shape (plane, patch, point, beam)."""
    coefficients = correlate1d(correlate1d(samples, PREFILTER, axis=2), PREFILTER, axis=3)
    weights = spline_weights(fractions)
    first = cells + PREFILTER_REACH
    spline = np.zeros((*samples.shape[:2], len(cells), samples.shape[-1]), dtype=samples.dtype)
    for a, b in np.ndindex(4, 4):
        weight = weights[..., 0, a] * weights[..., 1, b]
        spline += coefficients[:, :, first[:, 0] + a, first[:, 1] + b] * weight[None, ..., None]
    return spline


def every_period(trial: TrialAperture, directions_mrad: np.ndarray) -> np.ndarray:
    """Intensities after every period down to the largest thickness and some beyond, shape (period + 1, pair).

    Parameters
    ----------
    trial : TrialAperture
        The aperture; pairs are those of a direction and a beam in its field of view.
    directions_mrad : numpy.ndarray, shape (direction, 2)
        Where to compute, mistilt included [mrad].
    """
    depth_nm = trial.limits.thickness_max_nm + 2 * WIDEST_NM
    periods = int(np.ceil(depth_nm * 10 / trial.engine.slices.period_a))
    return trial.run_at(directions_mrad, ThicknessPlanes(periods, 1))[:, trial.seen(directions_mrad)]


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
