"""Free propagation of tilted plane waves, and of all they scatter into, from one slice to the next.

At the transverse frequency k = q + G a wave gains, over the depth d, the phase 2 pi d p(k) over that of the
unscattered beam on the axis, p being the difference of the frequencies along the beam:

    exact    p(k) = sqrt(1 / lambda^2 - k^2) - 1 / lambda
    fresnel  p(k) = -lambda k^2 / 2

(Kirkland, Advanced Computing in Electron Microscopy (2010), ch. 6). On sheared slices z' = z - s.(x, y), the grid
frequency k holds the reflections of all layers l of the reciprocal lattice. That of layer l has the transverse
frequency k - l s / c, c being the period, and p is taken there, for the layer whose reflection is nearest to the Ewald
sphere, l = round(c (p(k - l s / c) - p(q))).
"""

from __future__ import annotations

import numpy as np

from pacbed.crystal.electron import wavelength_a
from pacbed.crystal.potentials import SlicePotentials

LAYER_ITERATIONS = 4  # the layer of a reflection follows from its path, which follows from the layer


def free_propagators(slices: SlicePotentials, q: np.ndarray, propagator: str, cells: int = 1) -> np.ndarray:
    """Free propagation over one slice, zero outside the band limit.

    Parameters
    ----------
    slices : SlicePotentials
        Grid, slice depth, energy and band limit.
    q : ndarray, shape (direction, 2)
        Incident transverse frequencies, Cartesian [1/Å].
    propagator : {"exact", "fresnel"}
    cells : int
        Edge of the supercell that the wave is periodic in, in cells.

    Returns
    -------
    ndarray of complex64, shape (direction, x, y)
    """
    k = _frequencies(slices, q, cells)
    inside = np.sum(k**2, axis=-1) < slices.band_limit**2
    wavelength = wavelength_a(slices.energy_ev)
    sheared = np.any(slices.slope)
    path = _sheared_path(slices, k, q, wavelength, propagator) if sheared else _path(k, wavelength, propagator)
    turns = slices.slice_depth_a * path
    phase = (2 * np.pi * (turns - np.rint(turns))).astype(np.float32)  # exact before it is rounded, fast after
    propagators = np.zeros(phase.shape, dtype=np.complex64)
    np.cos(phase, out=propagators.real, where=inside)
    np.sin(phase, out=propagators.imag, where=inside)
    return propagators


def _path(k: np.ndarray, wavelength: float, propagator: str) -> np.ndarray:
    """Frequency along the beam less 1 / lambda, shape (...), at transverse ones k, shape (..., 2); all in [1/Å]."""
    frequency2 = np.sum(k**2, axis=-1)
    if propagator == "fresnel":
        return np.asarray(-0.5 * wavelength * frequency2)
    return np.asarray(np.sqrt(np.maximum(1 / wavelength**2 - frequency2, 0.0)) - 1 / wavelength)


def _sheared_path(
    slices: SlicePotentials, k: np.ndarray, q: np.ndarray, wavelength: float, propagator: str
) -> np.ndarray:
    """The same on sheared slices; k of shape (direction, x, y, 2), directions q of shape (direction, 2), both [1/Å].

    A reflection of layer l satisfies the diffraction condition where its path is l / period. Of all layers the one
    nearest to that condition is taken; so a slab with surfaces normal to the beam is described, as everywhere else.
    """
    # ASSUME: of the reflections that share a frequency of sheared slices only the one nearest to the Ewald sphere
    # carries intensity; a reflection in layer l is recorded l slope / period off, and atoms scatter into it as if
    # they lay in the sheared plane (form factor taken at the sheared frequency). The zeroth layer is
    # exact; what the others cost is measured in docs/physics.md.
    period, path = slices.period_a, _path(k, wavelength, propagator)
    start = _path(q, wavelength, propagator)[:, None, None]
    for _ in range(LAYER_ITERATIONS):
        layer = np.round(period * (path - start))
        path = _path(k - layer[..., None] * slices.slope / period, wavelength, propagator)
    return path


def _frequencies(slices: SlicePotentials, q: np.ndarray, cells: int) -> np.ndarray:
    """Transverse frequency q + G / cells behind every grid frequency [1/Å], shape (direction, x, y, 2).

    A grid frequency stands for G or for G plus any multiple of the grid: the one nearest to -q is taken, so that the
    frequencies kept surround the zone axis for every direction.
    """
    reciprocal = slices.reciprocal / cells
    nearest = np.round(q @ np.linalg.inv(reciprocal))
    first, second = (_centred(cells * n, near) for n, near in zip(slices.grid, nearest.T, strict=True))
    # x and y each in one piece of memory: sums over them take a quarter of the time that pairs side by side do.
    k = np.empty((2, len(q), first.shape[1], second.shape[1]))
    for axis in (0, 1):
        along = q[:, axis, None] + first * reciprocal[0, axis]
        np.add(along[:, :, None], second[:, None, :] * reciprocal[1, axis], out=k[axis])
    return np.moveaxis(k, 0, -1)


def _centred(points: int, nearest: np.ndarray) -> np.ndarray:
    """Index nearest to that of -q, of all those that a point of one axis stands for; shape (direction, point)."""
    index = np.fft.fftfreq(points, 1 / points) + nearest[:, None]
    centred: np.ndarray = (index + points // 2) % points - points // 2 - nearest[:, None]
    return centred
