"""How well cubic interpolation of a rocking table meets direct computation, between its directions and its planes."""

from __future__ import annotations

import numpy as np

from pacbed.simulation.plane_wave import PlaneWaveEngine, Rocking
from pacbed.simulation.renderer import lagrange
from pacbed.simulation.rocking_block import plane_layout

BATCH = 64
STENCIL = np.stack(np.meshgrid(np.arange(-1, 3), np.arange(-1, 3), indexing="ij"), axis=-1).reshape(-1, 2)


def run_in_batches(
    engine: PlaneWaveEngine, q: np.ndarray, *, beams: np.ndarray, planes: int, periods_per_plane: int
) -> Rocking:
    """`PlaneWaveEngine.run` for many directions, in pieces that stay in the processor's cache."""
    pieces = [
        engine.run(q[first : first + BATCH], beams=beams, planes=planes, periods_per_plane=periods_per_plane)
        for first in range(0, len(q), BATCH)
    ]
    return Rocking(
        *(
            np.concatenate([getattr(piece, name) for piece in pieces], axis=1)
            for name in ("intensity", "absorbed", "lost")
        )
    )


def random_directions(count: int, radius_mrad: float, *, rng: np.random.Generator) -> np.ndarray:
    """Directions spread evenly over a disk [mrad], shape (count, 2)."""
    radius, azimuth = radius_mrad * np.sqrt(rng.uniform(size=count)), rng.uniform(0, 2 * np.pi, count)
    return np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth)], axis=1)


def squared_direction_error(
    engine: PlaneWaveEngine,
    directions_mrad: np.ndarray,
    pitch_mrad: np.ndarray,
    *,
    beams: np.ndarray,
    seen: np.ndarray,
    planes: int,
    periods_per_plane: int,
) -> np.ndarray:
    """Squared error of intensities interpolated between directions, summed over beams, mean over directions.

    Parameters
    ----------
    engine : PlaneWaveEngine
    directions_mrad : numpy.ndarray, shape (direction, 2)
        Where to interpolate [mrad].
    pitch_mrad : numpy.ndarray, shape (2, 2)
        Rows: the two steps between the table's directions [mrad].
    beams : numpy.ndarray of int, shape (beam, 2)
        Reciprocal-lattice vectors.
    seen : numpy.ndarray of bool, shape (direction, beam)
        Which beams count.
    planes, periods_per_plane : int
        Thickness planes, as in `PlaneWaveEngine.run`.

    Returns
    -------
    numpy.ndarray, shape (planes + 1,)
    """
    position = directions_mrad @ np.linalg.inv(pitch_mrad)
    corner = np.floor(position)
    nodes = (corner[:, None, :] + STENCIL[None]).reshape(-1, 2) @ pitch_mrad
    every = np.concatenate([directions_mrad, nodes]) / (1e3 * engine.wavelength)
    rocking = run_in_batches(engine, every, beams=beams, planes=planes, periods_per_plane=periods_per_plane)
    count = len(directions_mrad)
    direct = rocking.intensity[:, :count]
    around = rocking.intensity[:, count:].reshape(planes + 1, count, len(STENCIL), len(beams))
    weights = np.stack([_weights(fraction) for fraction in position - corner])
    difference = np.where(seen, np.einsum("pdsb,ds->pdb", around, weights) - direct, 0.0)
    return np.sum(difference**2, axis=2).mean(axis=1)


def plane_error(
    engine: PlaneWaveEngine,
    directions_mrad: np.ndarray,
    *,
    beams: np.ndarray,
    seen: np.ndarray,
    thickness_max_nm: float,
) -> float:
    """Worst relative L2 error between thickness planes near the largest thickness; 0 where every period is a plane.

    The error has the sign of the fourth derivative in depth and does not average out over directions, so that the
    error of the beams is that of a pattern. Parameters as in `squared_direction_error`.
    """
    spacing, planes = plane_layout(engine.slices.period_a, thickness_max_nm)
    if spacing == 1 or planes < 3:
        return 0.0
    q = directions_mrad / (1e3 * engine.wavelength)
    every = engine.run(q, beams=beams, planes=planes * spacing, periods_per_plane=1).intensity[:, seen]
    nodes = np.arange(planes - 3, planes + 1)
    errors = []
    for period in range((planes - 2) * spacing + 1, (planes - 1) * spacing):
        interpolated = lagrange(period / spacing, nodes) @ every[nodes * spacing].astype(float)
        errors.append(np.linalg.norm(interpolated - every[period]) / np.linalg.norm(every[period]))
    return float(max(errors))


def _weights(fraction: np.ndarray) -> np.ndarray:
    first, second = (lagrange(float(f), np.arange(-1, 3)) for f in fraction)
    return np.outer(first, second).ravel()
