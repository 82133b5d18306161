"""How well the spline of a rocking table meets direct computation, between its directions and its planes."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate1d

from pacbed.patterns import relative_l2
from pacbed.simulation.structure.trial_aperture import ThicknessPlanes, TrialAperture
from pacbed.simulation.table.settings import plane_layout
from pacbed.simulation.table.spline import PREFILTER, PREFILTER_REACH, STENCIL_REACH, plane_matrix, spline_weights

WIDEST_NM = 2.0  # distance of thickness planes that is ever taken, unless the crystal's period is longer
LINE_CELLS = 8  # along a line whose nodes serve one spline; errors differ much between places of the aperture
_MARGIN = STENCIL_REACH + PREFILTER_REACH
_NODES = np.arange(1 - _MARGIN, LINE_CELLS + _MARGIN)  # that the spline in these cells needs


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
    centers_mrad : numpy.ndarray, shape (line, 2)
        Directions in the aperture, its mistilt included; a line of cells along each step at each is tried [mrad].
    planes : ThicknessPlanes
        Thicknesses.
    patterns : numpy.ndarray, shape (plane + 1, pixel)
        The aperture's patterns at these.
    """
    # A spline in two directions errs by what it errs along either, to leading order, and the two are independent.
    squared = np.sum([_squared_error(trial, step_mrad, centers_mrad, planes) for step_mrad in pitch_mrad], axis=0)
    # The errors of the beams that meet in a pixel come from different directions and are independent.
    scatter = trial.aperture.direction_share * np.sqrt(squared * len(trial.aperture.nodes))
    return np.asarray(scatter / np.linalg.norm(patterns, axis=1))


def _squared_error(
    trial: TrialAperture, step_mrad: np.ndarray, centers_mrad: np.ndarray, planes: ThicknessPlanes
) -> np.ndarray:
    """Squared error of a direction's intensities along one step, sum over the beams in the field; shape (plane + 1,).

    Mean over the lines, whose directions lie on no common grid. Each is a table of its own in one dimension: its nodes
    are computed, filtered to coefficients, and the spline is compared with what is computed once in every cell.
    """
    cells = np.arange(LINE_CELLS)
    fractions = np.random.default_rng(1).uniform(size=(len(centers_mrad), LINE_CELLS))
    along = np.concatenate([np.broadcast_to(_NODES, (len(centers_mrad), len(_NODES))), cells + fractions], axis=1)
    directions = centers_mrad[:, None] + (along - LINE_CELLS / 2)[..., None] * step_mrad
    intensity = trial.run_at(directions.reshape(-1, 2), planes)
    lines = intensity.reshape(len(intensity), *along.shape, -1)
    samples, direct = lines[:, :, : len(_NODES)], lines[:, :, len(_NODES) :]
    coefficients = correlate1d(samples, PREFILTER, axis=2)
    weights = spline_weights(fractions)
    spline = np.zeros_like(direct)
    for tap in range(weights.shape[-1]):
        spline += coefficients[:, :, cells + PREFILTER_REACH + tap] * weights[..., tap, None]
    squared = np.where(trial.seen(directions[:, len(_NODES) :]), (spline - direct) ** 2, 0.0)
    return np.asarray(squared.sum(axis=-1).mean(axis=(1, 2)))


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
