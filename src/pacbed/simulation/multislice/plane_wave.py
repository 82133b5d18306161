"""Multislice for tilted plane waves through one cell repeated along the beam.

An incident plane wave exp(2 pi i q.r) meets a crystal that is periodic across the beam. By Bloch's theorem the wave
stays exp(2 pi i q.r) sum_G S(q + G, q) exp(2 pi i G.r), and the amplitudes S on the grid of one cell are all there is
to propagate. For every slice n, of depth d,

    S <- P F [ t_n F^-1 S ]
    t_n(r) = exp(i sigma V_n(r) - mu_n(r)), without the frequencies above the band limit
    P(q + G) = exp(2 pi i d (sqrt(1 / lambda^2 - |q + G|^2) - 1 / lambda)), zero above the band limit

with F the Fourier transform, V_n the projected potential [eV Å], mu_n its absorption, sigma the interaction parameter.
The Fresnel propagator is the first term of its root, P(q + G) = exp(-pi i lambda d |q + G|^2). Nothing but the grid and
the depth of slices is approximated.

J. M. Cowley, A. F. Moodie, Acta Cryst. 10, 609 (1957); E. J. Kirkland, Advanced Computing in Electron Microscopy, 2nd
ed. (2010), ch. 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from pacbed.crystal.electron import interaction_per_ev_a, mrad_per_inverse_a
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.fourier import WaveTransforms, wave_transforms
from pacbed.simulation.multislice.kernels import squared_beams, transmit
from pacbed.simulation.multislice.propagators import free_propagators

PROPAGATORS = ("exact", "fresnel")
WAVES = 16  # propagated together on a processor: with their propagators they stay in its cache


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


class _Slice(NamedTuple):
    """One slice as the loop meets it: t_n, and the fraction of an electron that it absorbs, over the grid points.

    `transmission` has shape (x, y), `absorbed` (pixel,); both are divided by the number of grid points.
    """

    transmission: Any
    absorbed: Any


class _Record(NamedTuple):
    """What is kept of a batch: intensity (plane, direction, beam), absorbed fraction and norm (plane, direction)."""

    intensity: Any
    absorbed: Any
    norm: Any

    def of(self, directions: slice) -> _Record:
        """The part of some directions, in the same memory."""
        return _Record(*(array[:, directions] for array in self))


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

    Attributes
    ----------
    mrad_per_inverse_a : float
        Angle of a spatial frequency of 1/Å [mrad].

    Raises
    ------
    SimulationError
        The propagator is unknown.
    """

    def __init__(self, slices: SlicePotentials, *, propagator: str = "exact", xp: ModuleType = np) -> None:
        if propagator not in PROPAGATORS:
            raise SimulationError(f"propagator: got {propagator!r}, accepted: one of {PROPAGATORS}")
        self.slices = slices
        self.propagator = propagator
        self.mrad_per_inverse_a = mrad_per_inverse_a(slices.energy_ev)
        self._xp = xp
        # The transforms there and back multiply by the number of points.
        points = np.float32(slices.potential[0].size)
        transmission = xp.asarray(transmission_functions(slices) / points)
        absorbed = (1.0 - np.exp(-2.0 * slices.absorption.astype(float))) / points
        absorbed = xp.asarray(absorbed.reshape(len(absorbed), -1), dtype=np.float32)
        self._absorbing = bool(np.any(slices.absorption))
        self._slices = [_Slice(*pair) for pair in zip(transmission, absorbed, strict=True)]

    def run(self, q: np.ndarray, *, beams: np.ndarray, planes: int, periods_per_plane: int) -> Rocking:
        """Diffraction of plane waves at equally spaced thickness planes.

        Parameters
        ----------
        q : ndarray, shape (direction, 2)
            Incident transverse frequencies, Cartesian [1/Å].
        beams : ndarray of int, shape (beam, 2)
            Indices of the reciprocal-lattice vectors G to record.
        planes, periods_per_plane : int
            Planes below the entrance surface, and periods of the crystal between two planes.

        Returns
        -------
        Rocking
        """
        xp, together = self._xp, WAVES if self._xp is np else max(1, len(q))
        transforms = wave_transforms((together, *self.slices.grid), xp)
        intensity = xp.empty((planes + 1, len(q), len(beams)), dtype=np.float32)
        absorbed, norm = (xp.zeros((planes + 1, len(q)), dtype=np.float32) for _ in range(2))
        record = _Record(intensity, absorbed, norm)
        columns = xp.asarray(np.ravel_multi_index(np.asarray(beams).T, self.slices.grid, mode="wrap"))
        for first in range(0, len(q), together):
            chosen = slice(first, first + together)
            self._propagate(q[chosen], transforms, columns, periods_per_plane, record.of(chosen))
        return Rocking(*(host(array) for array in (intensity, absorbed, 1.0 - norm - absorbed)))

    def _propagate(
        self, q: np.ndarray, transforms: WaveTransforms, columns: Any, periods: int, record: _Record
    ) -> None:
        """Fill in the record of as many directions as the transforms take, or fewer."""
        intensity, absorbed, norm = record
        xp, wave, count = self._xp, transforms.wave, len(q)
        full = np.zeros((len(wave), 2))
        full[:count] = q
        propagators = xp.asarray(free_propagators(self.slices, full, self.propagator))
        wave[:] = 0.0
        wave[:, 0, 0] = 1.0
        norm[0] = _squared_beams(wave, columns, intensity[0])
        taken = xp.zeros(len(wave), dtype=np.float32)
        for plane in range(1, len(intensity)):
            for _ in range(periods):
                wave = self._period(wave, transforms, propagators, taken)
            norm[plane] = _squared_beams(wave, columns, intensity[plane])
            absorbed[plane] = taken[:count]

    def _period(self, wave: Any, transforms: WaveTransforms, propagators: Any, taken: Any) -> Any:
        """Waves one period further on; `taken` grows by what the absorption takes from each."""
        for transmission, absorbed in self._slices:
            wave = transforms.to_space(wave)
            if self._absorbing:
                _transmit(wave, transmission, absorbed, taken)
            else:
                wave *= transmission
            wave = transforms.to_frequencies(wave)
            wave *= propagators
        return wave


def _transmit(wave: Any, transmission: Any, absorbed: Any, taken: Any) -> None:
    """Multiply waves (direction, x, y) by a transmission function; `taken` grows by what the absorption takes."""
    if isinstance(wave, np.ndarray):
        transmit(wave.reshape(len(wave), -1), transmission.reshape(-1), absorbed, taken)
        return
    taken += squared(wave).reshape(len(wave), -1) @ absorbed
    wave *= transmission


def _squared_beams(wave: Any, columns: Any, intensity: Any) -> Any:
    """Fill in the intensities of beams (direction, beam); returns those of whole waves, shape (direction,)."""
    flat = wave.reshape(len(wave), -1)
    if isinstance(wave, np.ndarray):
        return squared_beams(flat, columns, intensity)
    count = len(intensity)
    intensity[:] = squared(flat[:count, columns])
    return squared(flat[:count]).sum(axis=1)


def grid_indices(slices: SlicePotentials, cells: int = 1) -> np.ndarray:
    """Frequencies of the grid of `cells` x `cells` cells in units of G / cells; shape (x, y, 2)."""
    index = np.meshgrid(*(np.fft.fftfreq(cells * n, 1 / (cells * n)) for n in slices.grid), indexing="ij")
    return np.stack(index, axis=-1)


def below_band_limit(slices: SlicePotentials, cells: int = 1) -> np.ndarray:
    """Which frequencies of the grid of `cells` x `cells` cells transmission functions keep, bool of shape (x, y)."""
    return np.linalg.norm(grid_indices(slices, cells) @ slices.reciprocal / cells, axis=-1) < slices.band_limit


def transmission_functions(slices: SlicePotentials) -> np.ndarray:
    """exp(i sigma V - mu) of each slice without the frequencies above the band limit, complex64, (slice, x, y)."""
    sigma = interaction_per_ev_a(slices.energy_ev)
    raw = np.exp(1j * sigma * slices.potential.astype(float) - slices.absorption)
    return np.fft.ifft2(np.fft.fft2(raw) * below_band_limit(slices)).astype(np.complex64)


def squared(wave: Any) -> Any:
    """Squared modulus of complex numbers."""
    return wave.real**2 + wave.imag**2


def host(array: Any) -> np.ndarray:
    """The array in the memory of the CPU."""
    return array if isinstance(array, np.ndarray) else array.get()
