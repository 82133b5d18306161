"""Frozen phonons for tilted plane waves: an independent configuration of displaced atoms for every direction.

A supercell of n x n cells takes the cell's place in the multislice of `plane_wave`: t_j = exp(i sigma V_j) of displaced
atoms stands where t_n of the mean crystal stood. The incident direction q may be any: the wave is the periodic part of
a Bloch wave. It leaves at q + g / n, g in the reciprocal lattice of the cell.

The slices of a configuration are independent of each other (Einstein model). Each transmits linearly, so the mean
wave <S> behind the slab is, exactly, the wave that the mean transmission functions <t_j> let through: one cell, no
noise. With <> the mean over configurations, the intensity is

    <|S|^2> = |<S>|^2 + <|S - <S>|^2>,

an elastic part, and a diffuse part that one configuration estimates at every g / n, positive and without bias. The
interference 2 Re <S>* (S - <S>) has no mean and is left out.

R. F. Loane, P. Xu, J. Silcox, Acta Cryst. A47, 267 (1991).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import scipy.fft

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.lattice import cell_bins
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.fourier import gpu_fft
from pacbed.simulation.multislice.phonon_pool import PhononPool, transmit_shifted
from pacbed.simulation.multislice.plane_wave import PROPAGATORS, Rocking, host, squared
from pacbed.simulation.multislice.propagators import free_propagators

CACHE_BYTES = 2_000_000  # waves propagated together on a CPU; more leave the cache


@dataclass(frozen=True)
class PhononRocking(Rocking):
    """Diffraction of a batch of directions by a vibrating crystal.

    `intensity` is the elastic part, `absorbed` all that left it for the diffuse part. 1 = elastic + diffuse + lost
    in the mean over configurations.

    Attributes
    ----------
    diffuse : ndarray of float32, shape (plane, direction, beam) or (plane, direction, beam, bin)
        Diffuse part in the cell of reciprocal space around each beam; of each bin of it, if resolved.
    sampled : ndarray of float32, shape (plane, direction, beam), or None
        Second estimate of the elastic part, mean of Re S_i* S_j over pairs of configurations: unbiased, noisy, may be
        negative. None for a single configuration.
    """

    diffuse: np.ndarray
    sampled: np.ndarray | None


class _Configuration(NamedTuple):
    """The displaced slices that one direction meets, period by period.

    `entries` of the pool have shape (period, level), their shifts by whole cells, in grid points, (period, level, 2).
    """

    entries: np.ndarray
    shifts: np.ndarray


class FrozenPhononEngine:
    """Propagates plane waves through a slab of displaced atoms.

    Parameters
    ----------
    slices : SlicePotentials
        Cell, grid, slices and energy; its potentials are not used.
    pool : PhononPool
        Displaced slices of the same crystal.
    propagator : {"exact", "fresnel"}
        Free-space propagation between slices.
    configurations : int
        Configurations per direction.
    seed : int
        With the key of a direction, the source of its configurations.
    xp : module
        numpy or cupy.

    Attributes
    ----------
    mrad_per_inverse_a : float
        Angle of a spatial frequency of 1/Å [mrad].
    offsets : ndarray of int, shape (bin, 2)
        Bins of the diffuse part around a beam, in steps of G / n, as `cell_bins` gives them.
    weights : ndarray, shape (bin,)
        Share of each bin that belongs to the beam's cell of reciprocal space.

    Raises
    ------
    SimulationError
        The propagator is unknown, or there is no configuration.
    """

    def __init__(
        self,
        slices: SlicePotentials,
        pool: PhononPool,
        *,
        propagator: str = "exact",
        configurations: int = 1,
        seed: int = 1,
        xp: ModuleType = np,
    ) -> None:
        if propagator not in PROPAGATORS:
            raise SimulationError(f"propagator: got {propagator!r}, accepted: one of {PROPAGATORS}")
        if configurations < 1:
            raise SimulationError(f"configurations: got {configurations}, accepted: 1 or more")
        self.slices, self.cells, self.propagator = slices, pool.cells, propagator
        self.mrad_per_inverse_a = mrad_per_inverse_a(slices.energy_ev)
        self.configurations, self.seed = configurations, seed
        self._entries = pool.transmission.shape[1]
        self._xp, self._fft = xp, scipy.fft if xp is np else gpu_fft()
        self._mean, self._displaced = xp.asarray(pool.mean), xp.asarray(pool.transmission)
        self._size = tuple(self.cells * points for points in slices.grid)
        self._together = max(1, CACHE_BYTES // (8 * self._size[0] * self._size[1])) if xp is np else 10**9
        self.offsets, self.weights = cell_bins(self.cells)

    def run(
        self,
        q: np.ndarray,
        *,
        beams: np.ndarray,
        planes: int,
        periods_per_plane: int,
        keys: np.ndarray,
        resolved: bool = False,
    ) -> PhononRocking:
        """Diffraction of plane waves at equally spaced thickness planes.

        Parameters
        ----------
        q : ndarray, shape (direction, 2)
            Incident transverse frequencies, Cartesian [1/Å].
        beams : ndarray of int, shape (beam, 2)
            Indices of the reciprocal-lattice vectors G of the cell to record.
        planes, periods_per_plane : int
            Planes below the entrance surface, and periods of the crystal between two planes.
        keys : ndarray of int, shape (direction,)
            Number of each direction, not negative: the same number meets the same atoms in any batch.
        resolved : bool
            Give every bin of the diffuse part, at g = n G + `offsets`, instead of their sum.

        Returns
        -------
        PhononRocking
        """
        batches = []
        for first in range(0, len(q), self._together):
            chosen = slice(first, first + self._together)
            batches.append(self._batch(q[chosen], keys[chosen], beams, planes, periods_per_plane, resolved))
        joined: dict[str, Any] = {
            one.name: np.concatenate([getattr(batch, one.name) for batch in batches], axis=1)
            for one in fields(PhononRocking)
        }
        if self.configurations == 1:
            joined["sampled"] = None
        return PhononRocking(**joined)

    def _batch(
        self, q: np.ndarray, keys: np.ndarray, beams: np.ndarray, planes: int, periods: int, resolved: bool
    ) -> PhononRocking:
        """Diffraction of directions that are propagated together."""
        xp, n, count = self._xp, self.cells, self.configurations
        q = np.asarray(q, dtype=float)
        propagators, alone = (xp.asarray(free_propagators(self.slices, q, self.propagator, cells)) for cells in (n, 1))
        bins, at = self._bins(beams), self._lattice(beams)
        mean = self._mean_waves(alone, planes, periods)
        elastic = squared(mean[:, :, at[0], at[1]])
        diffuse = xp.zeros((*elastic.shape, len(self.offsets)), dtype=np.float32)
        absorbed, lost = (xp.zeros(elastic.shape[:2], dtype=np.float32) for _ in range(2))
        total, own = xp.zeros(elastic.shape, dtype=np.complex64), xp.zeros(elastic.shape, dtype=np.float32)
        for configuration in range(count):
            atoms = [self._draw(int(key), configuration, planes * periods) for key in keys]
            for plane, wave in enumerate(self._waves(propagators, atoms, planes, periods)):
                amplitude = wave[:, ::n, ::n][:, at[0], at[1]]
                total[plane] += amplitude
                own[plane] += squared(amplitude)
                lost[plane] += (1 - squared(wave).sum(axis=(1, 2))) / count
                wave[:, ::n, ::n] -= mean[plane]
                power = squared(wave)
                absorbed[plane] += power.sum(axis=(1, 2)) / count
                diffuse[plane] += power[:, bins[0], bins[1]] / count
        diffuse *= xp.asarray(self.weights, dtype=np.float32)
        pairs = (squared(total) - own) / max(1, count * (count - 1))
        if not resolved:
            diffuse = diffuse.sum(axis=-1)
        return PhononRocking(*(host(array) for array in (elastic, absorbed, lost, diffuse, pairs)))

    def _lattice(self, beams: np.ndarray) -> tuple[Any, ...]:
        """Where the beams lie on the grid of one cell: two arrays of shape (beam,)."""
        columns = np.asarray(beams).T % np.array(self.slices.grid)[:, None]
        return tuple(self._xp.asarray(column) for column in columns)

    def _bins(self, beams: np.ndarray) -> tuple[Any, ...]:
        """Where the bins of each beam lie on the supercell's grid: two arrays of shape (beam, bin)."""
        index = self.cells * np.asarray(beams)[:, None, :] + self.offsets
        return tuple(self._xp.asarray(index[..., axis] % self._size[axis]) for axis in (0, 1))

    def _draw(self, key: int, configuration: int, periods: int) -> _Configuration:
        """Displaced slices of so many periods, for the direction with this key."""
        rng = np.random.default_rng([self.seed, key, configuration])
        levels = len(self._displaced)
        entries = rng.integers(self._entries, size=(periods, levels))
        shifts = rng.integers(self.cells, size=(periods, levels, 2)) * np.array(self.slices.grid)
        return _Configuration(entries, shifts)

    def _mean_waves(self, propagators: Any, planes: int, periods: int) -> Any:
        """Mean wave at every plane, shape (plane, direction, x, y), Fourier coefficients on one cell."""
        wave = self._incident(propagators)
        waves = self._xp.zeros((planes + 1, *wave.shape), dtype=np.complex64)
        waves[0] = wave
        for plane in range(1, planes + 1):
            for _ in range(periods):
                for transmission in self._mean:
                    wave = self._fft.ifft2(wave, axes=(1, 2), norm="forward", overwrite_x=True)
                    wave *= transmission
                    wave = self._fft.fft2(wave, axes=(1, 2), norm="forward", overwrite_x=True)
                    wave *= propagators
            waves[plane] = wave
        return waves

    def _waves(self, propagators: Any, atoms: Sequence[_Configuration], planes: int, periods: int) -> Iterator[Any]:
        """The waves of one configuration per direction, a copy for each plane; shape (direction, x, y)."""
        wave = self._incident(propagators)
        yield wave.copy()
        for period in range(planes * periods):
            for level, functions in enumerate(self._displaced):
                wave = self._fft.ifft2(wave, axes=(1, 2), norm="forward", overwrite_x=True)
                for one, (entries, shifts) in zip(wave, atoms, strict=True):
                    transmit_shifted(one, functions[int(entries[period, level])], *map(int, shifts[period, level]))
                wave = self._fft.fft2(wave, axes=(1, 2), norm="forward", overwrite_x=True)
                wave *= propagators
            if (period + 1) % periods == 0:
                yield wave.copy()

    def _incident(self, propagators: Any) -> Any:
        wave = self._xp.zeros(propagators.shape, dtype=np.complex64)
        wave[:, 0, 0] = 1.0
        return wave
