"""Multislice for tilted plane waves through one cell repeated along the beam. Needs numpy and scipy, or CuPy."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import scipy.fft

from pacbed.crystal.electron import interaction_per_ev_a, wavelength_a
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.wave_kernels import transmit

PROPAGATORS = ("exact", "fresnel")
LAYER_STEPS = 4  # the layer of a reflection on sheared slices follows from its path, which follows from the layer


@dataclass(frozen=True)
class Rocking:
    """Plane-wave diffraction of a batch of directions.

    Attributes
    ----------
    intensity : ndarray of float32, shape (plane, direction, beam)
        |S(q + G, q)|^2; plane 0 is the entrance surface.
    absorbed : ndarray of float32, shape (plane, direction)
        Fraction of the beam taken by the absorptive potential.
    lost : ndarray of float32, shape (plane, direction)
        Fraction lost to the band limit; 1 = sum over all beams + absorbed + lost.
    """

    intensity: np.ndarray
    absorbed: np.ndarray
    lost: np.ndarray


class PlaneWaveEngine:
    """Propagates plane waves through a periodic slab.

    Parameters
    ----------
    slices : SlicePotentials
        One period of the crystal.
    propagator : {"exact", "fresnel"}
        Free-space propagation between slices.
    xp : module
        numpy or cupy.
    """

    def __init__(self, slices: SlicePotentials, *, propagator: str = "exact", xp: ModuleType = np) -> None:
        if propagator not in PROPAGATORS:
            raise SimulationError(f"propagator: got {propagator!r}, accepted: one of {PROPAGATORS}")
        self.slices = slices
        self.propagator = propagator
        self.wavelength = wavelength_a(slices.energy_ev)
        self._xp = xp
        self._fft: Any = scipy.fft if xp is np else _gpu_fft()
        index = np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in slices.grid), indexing="ij")
        self._index = np.stack(index, axis=-1)
        self._transmission = xp.asarray(self._transmission_functions())
        weights = 1.0 - np.exp(-2.0 * slices.absorption.astype(float))
        self._absorbing = bool(np.any(slices.absorption))
        self._absorption_weights = xp.asarray((weights / weights[0].size).reshape(len(weights), -1), dtype=np.float32)

    def _transmission_functions(self) -> np.ndarray:
        slices = self.slices
        sigma = interaction_per_ev_a(slices.energy_ev)
        raw = np.exp(1j * sigma * slices.potential.astype(float) - slices.absorption)
        kept = np.linalg.norm(self._index @ slices.reciprocal, axis=-1) < slices.band_limit
        return np.fft.ifft2(np.fft.fft2(raw) * kept).astype(np.complex64)

    def _frequencies(self, q: np.ndarray) -> np.ndarray:
        """Transverse frequency q + G behind every grid frequency [1/Å], shape (direction, x, y, 2).

        A grid frequency stands for G or for G plus any multiple of the grid: the one nearest to -q is taken, so that the
        frequencies kept surround the zone axis for every direction.
        """
        size = np.array(self.slices.grid)
        nearest = np.round(q @ np.linalg.inv(self.slices.reciprocal))[:, None, None, :]
        centred = (self._index + nearest + size // 2) % size - size // 2
        return q[:, None, None, :] + (centred - nearest) @ self.slices.reciprocal

    def _propagators(self, q: np.ndarray) -> np.ndarray:
        """Free propagation over one slice, zero outside the band limit; shape (direction, x, y)."""
        k = self._frequencies(q)
        inside = np.sum(k**2, axis=-1) < self.slices.band_limit**2
        path = self._path(k)
        if np.any(self.slices.slope):
            path = self._sheared_path(k, q)
        return np.where(inside, np.exp(2j * np.pi * self.slices.slice_depth_a * path), 0).astype(np.complex64)

    def _path(self, k: np.ndarray) -> np.ndarray:
        """Frequency along the beam, less that of the unscattered beam, at transverse frequencies k [1/Å]."""
        squared = np.sum(k**2, axis=-1)
        if self.propagator == "fresnel":
            return np.asarray(-0.5 * self.wavelength * squared)
        wavenumber = 1 / self.wavelength
        return np.asarray(np.sqrt(np.maximum(wavenumber**2 - squared, 0.0)) - wavenumber)

    def _sheared_path(self, k: np.ndarray, q: np.ndarray) -> np.ndarray:
        """The same on sheared slices, whose frequencies stand for one reflection in every layer of the lattice.

        The reflection of layer l has the transverse frequency k - l slope / period and satisfies the diffraction
        condition where its path is l / period. Of all layers the one nearest to that condition is taken; so a slab
        with surfaces normal to the beam is described, as everywhere else.
        """
        # ASSUME: of the reflections that share a frequency of sheared slices only the one nearest to the Ewald sphere
        # carries intensity; a reflection in layer l is recorded l slope / period off, and atoms scatter into it as if
        # they lay in the sheared plane (form factor taken at the sheared frequency). The zeroth layer is exact.
        period, start, path = self.slices.period_a, self._path(q)[:, None, None], self._path(k)
        for _ in range(LAYER_STEPS):
            layer = np.round(period * (path - start))
            path = self._path(k - layer[..., None] * self.slices.slope / period)
        return path

    def run(self, q: np.ndarray, *, beams: np.ndarray, planes: int, periods_per_plane: int) -> Rocking:
        """Diffraction of plane waves at equally spaced thickness planes.

        Parameters
        ----------
        q : ndarray, shape (direction, 2)
            Incident transverse frequencies, Cartesian [1/Å].
        beams : ndarray of int, shape (beam, 2)
            Indices of the reciprocal-lattice vectors G to record.
        planes : int
            Number of planes below the entrance surface.
        periods_per_plane : int
            Periods of the crystal between planes.

        Returns
        -------
        Rocking
        """
        xp, count = self._xp, len(q)
        columns = tuple(np.asarray(beams).T % np.array(self.slices.grid)[:, None])
        columns = tuple(xp.asarray(column) for column in columns)
        propagators = xp.asarray(self._propagators(np.asarray(q, dtype=float)))
        wave = xp.zeros((count, *self.slices.grid), dtype=np.complex64)
        wave[:, 0, 0] = 1.0
        intensity = xp.zeros((planes + 1, count, len(beams)), dtype=np.float32)
        absorbed = xp.zeros((planes + 1, count), dtype=np.float32)
        norm = xp.ones((planes + 1, count), dtype=np.float32)
        intensity[0] = _squared(wave[:, columns[0], columns[1]])
        taken = xp.zeros(count, dtype=np.float32)
        for plane in range(1, planes + 1):
            for _ in range(periods_per_plane):
                wave, taken = self._period(wave, propagators, taken)
            intensity[plane] = _squared(wave[:, columns[0], columns[1]])
            absorbed[plane] = taken
            norm[plane] = _squared(wave).sum(axis=(1, 2))
        return Rocking(*(_host(array) for array in (intensity, absorbed, 1.0 - norm - absorbed)))

    def _period(self, wave: Any, propagators: Any, taken: Any) -> tuple[Any, Any]:
        for level, transmission in enumerate(self._transmission):
            wave = self._fft.ifft2(wave, axes=(1, 2), norm="forward", overwrite_x=True)
            if self._absorbing:
                taken = taken + _transmit(wave, transmission, self._absorption_weights[level])
            else:
                wave *= transmission
            wave = self._fft.fft2(wave, axes=(1, 2), norm="forward", overwrite_x=True)
            wave *= propagators
        return wave, taken


def _transmit(wave: Any, transmission: Any, weights: Any) -> Any:
    """Multiply waves by a transmission function; returns what the absorption takes from each, shape (direction,)."""
    if isinstance(wave, np.ndarray):
        taken = np.empty(len(wave), dtype=np.float32)
        transmit(wave.reshape(len(wave), -1), transmission.reshape(-1), weights, taken)
        return taken
    taken = _squared(wave).reshape(len(wave), -1) @ weights
    wave *= transmission
    return taken


def _squared(wave: Any) -> Any:
    return wave.real**2 + wave.imag**2


def _host(array: Any) -> np.ndarray:
    return array if isinstance(array, np.ndarray) else array.get()


def _gpu_fft() -> ModuleType:
    import cupyx.scipy.fft

    return cupyx.scipy.fft
