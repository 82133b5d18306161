"""The `scan` engine: position-averaged patterns from a raster of real probes, computed by abTEM.

The plane-wave engine is exact for a perfect crystal; this one is slower by orders of magnitude and makes no use of that
identity. It referees
the plane-wave engine and is the only right one for frozen phonons, defects and scans that are not whole cells.

Conventions are pinned here, once, between abTEM and pacbed (docs/physics.md):
- abTEM indexes arrays [x, y]; a `ScanPattern` is an image, [row = y, col = x].
- abTEM's beam travels along +z, as ours does.
- abTEM multiplies the propagator by exp(-2 pi i dz k.tan(tilt)), which is the cross term of |k + tau|^2: `tilt =
+mistilt`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import abtem
import numpy as np
from abtem.core.energy import energy2sigma, energy2wavelength
from abtem.potentials.iam import BasePotential, PotentialArray, TransmissionFunction
from abtem.transfer import BaseAperture
from ase import Atoms

if TYPE_CHECKING:
    from pacbed.crystal.potentials import SlicePotentials

# One thread, no bar: the caller runs several scans side by side and reports progress itself.
ABTEM_SETTINGS = {"fftw.threads": 1, "diagnostics.progress_bar": False, "precision": "float32", "device": "cpu"}


@dataclass(frozen=True)
class ScanPattern:
    """A position-averaged diffraction pattern on the reciprocal grid of its supercell.

    Attributes
    ----------
    intensity : numpy.ndarray, shape (ky, kx)
        Fraction of the beam in each sample; the sum is the part of the beam inside the field of view.
    kx_mrad, ky_mrad : numpy.ndarray, shapes (kx,) and (ky,)
        Angles of the samples relative to the axis of the aperture [mrad].
    """

    intensity: np.ndarray
    kx_mrad: np.ndarray
    ky_mrad: np.ndarray


class _ShiftedAperture(BaseAperture):
    """Hard disk, its centre at minus `shift_mrad` on abTEM's grid, which then samples the points between its own."""

    def __init__(self, semiangle_cutoff: float, shift_mrad: tuple[float, float] = (0.0, 0.0), **kwargs):
        self._shift_mrad = shift_mrad
        super().__init__(semiangle_cutoff=semiangle_cutoff, **kwargs)

    @property
    def shift_mrad(self) -> tuple[float, float]:
        return self._shift_mrad

    def _evaluate_from_angular_grid(self, alpha: np.ndarray, phi: np.ndarray) -> np.ndarray:
        x = np.asarray(alpha, dtype=float) * np.cos(phi) + self._shift_mrad[0] * 1e-3
        y = np.asarray(alpha, dtype=float) * np.sin(phi) + self._shift_mrad[1] * 1e-3
        return (np.hypot(x, y) <= self.semiangle_cutoff * 1e-3).astype(np.float32)


def positions_needed(convergence_mrad: float, cell_lengths: Sequence[float], energy_ev: float) -> tuple[int, int]:
    """Smallest raster over one cell that averages to zero every pair of interfering beams.

    Two plane waves of the probe interfere when they differ by a lattice vector G with |G| <= 2 alpha; n positions per
    axis cancel every G that
    is not a multiple of n, so n must exceed 2 alpha / |G1|.

    Parameters
    ----------
    convergence_mrad : float
        Semi-convergence angle [mrad].
    cell_lengths : two floats
        Edges of the cell along x and y [Å].
    energy_ev : float
        Beam energy [eV].
    """
    wavelength = energy2wavelength(energy_ev)
    x, y = (int(np.floor(2e-3 * convergence_mrad * length / wavelength)) + 1 for length in cell_lengths)
    return x, y


def raster(
    cell_lengths: Sequence[float], counts: Sequence[int], *, cells: Sequence[int] = (1, 1), spread: bool = False
) -> np.ndarray:
    """Probe positions that cover exactly one unit cell.

    Parameters
    ----------
    cell_lengths : two floats
        Edges of the orthogonal cell along x and y [Å].
    counts : two ints
        Positions along x and y.
    cells : two ints
        Cells of the supercell; used by `spread` only.
    spread : bool
        Move each position by whole cells so that the raster covers the supercell. Nothing changes for a perfect
        crystal; with frozen phonons
        every probe then meets other atoms, and the speckle of one configuration averages out faster.

    Returns
    -------
    numpy.ndarray, shape (positions, 2)
        x and y [Å].
    """
    axes = []
    for length, count, repeats in zip(cell_lengths, counts, cells, strict=True):
        steps = np.arange(count)
        whole = steps * (repeats // count) if spread else np.zeros(count)
        axes.append((steps / count + whole) * length)
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def scan_pacbed(
    periods: Iterable[BasePotential],
    *,
    thickness_periods: Sequence[int],
    energy_ev: float,
    convergence_mrad: float,
    positions: np.ndarray,
    max_angle_mrad: float,
    mistilt_mrad: Sequence[float] = (0.0, 0.0),
    offset_mrad: Sequence[float] = (0.0, 0.0),
) -> list[ScanPattern]:
    """Send a raster of probes through a slab and average their diffraction patterns.

    Parameters
    ----------
    periods : iterable of abTEM potentials
        One supercell period along z after the other, from the entrance surface; all on the same grid.
    thickness_periods : increasing ints
        Numbers of whole periods after which a pattern is recorded.
    energy_ev, convergence_mrad : float
        Beam energy [eV]; semi-convergence angle of a hard aperture [mrad].
    positions : numpy.ndarray, shape (positions, 2)
        Probe positions, x and y [Å] (see `raster`).
    max_angle_mrad : float
        Half width of the patterns [mrad].
    mistilt_mrad : two floats
        Shift of the incident directions in the crystal frame, x and y [mrad].
    offset_mrad : two floats
        Shift of the sampled angles, at most half a sample of the supercell's reciprocal grid [mrad]: several scans with
        different
        offsets sample a finer grid than the supercell alone allows.

    Returns
    -------
    list of ScanPattern
        One for each entry of `thickness_periods`.
    """
    tilt = tuple(float(tau + shift) for tau, shift in zip(mistilt_mrad, offset_mrad, strict=True))
    aperture = _ShiftedAperture(float(convergence_mrad), shift_mrad=(float(offset_mrad[0]), float(offset_mrad[1])))
    patterns = []
    with abtem.config.set(ABTEM_SETTINGS):
        waves = None
        for count, potential in enumerate(itertools.islice(periods, max(thickness_periods)), start=1):
            if waves is None:
                probe = abtem.Probe(energy=energy_ev, aperture=aperture, tilt=tilt)
                probe.grid.match(potential)
                waves = probe.build(scan=abtem.CustomScan(positions), lazy=False, max_batch=len(positions))
            waves = waves.multislice(potential)
            if count in thickness_periods:
                patterns.append(_average_pattern(waves, max_angle_mrad, offset_mrad))
    return patterns


def _average_pattern(waves: abtem.Waves, max_angle_mrad: float, offset_mrad: Sequence[float]) -> ScanPattern:
    measured = waves.diffraction_patterns(max_angle=float(max_angle_mrad))
    intensity = np.asarray(measured.array, dtype=np.float64)
    intensity = intensity.reshape(-1, *intensity.shape[-2:]).mean(axis=0)
    axes = []
    for samples, pitch, shift in zip(intensity.shape, measured.angular_sampling, offset_mrad, strict=True):
        axes.append((np.arange(samples) - samples // 2) * pitch + shift)
    return ScanPattern(intensity=np.ascontiguousarray(intensity.T), kx_mrad=axes[0], ky_mrad=axes[1])


def frozen_phonon_periods(
    cell: Atoms,
    displacement: np.ndarray,
    *,
    cells: Sequence[int],
    gpts: Sequence[int],
    slices: int,
    rng: np.random.Generator,
    parametrization: str = "lobato",
) -> Iterator[PotentialArray]:
    """Endless, independently displaced periods of an N x M supercell.

    # ASSUME: Einstein model, every atom moves alone, with the displacement tensor of its site (Loane, Xu & Silcox, Acta
    # Cryst. A47 (1991) 267).

    abTEM's own `FrozenPhonons` knows one standard deviation per axis; a site's tensor needs not be diagonal, so the
    atoms are moved here.

    Parameters
    ----------
    cell : ase.Atoms
        One orthogonal oriented cell, z along the beam.
    displacement : numpy.ndarray, shape (atoms, 3, 3)
        Mean-square displacement tensor of each site, cartesian [Å^2].
    cells : two ints
        Cells along x and y.
    gpts : two ints
        Grid of the supercell.
    slices : int
        Slices per period, equally thick.
    rng : numpy.random.Generator
        Source of the displacements.
    parametrization : str
        "lobato" or "kirkland".
    """
    period = cell * (int(cells[0]), int(cells[1]), 1)
    roots = np.tile(_tensor_roots(displacement), (int(cells[0]) * int(cells[1]), 1, 1))
    thickness = float(period.cell[2, 2]) / slices
    while True:
        moved = period.copy()
        moved.positions += np.einsum("nij,nj->ni", roots, rng.standard_normal((len(period), 3)))
        moved.wrap()
        potential = abtem.Potential(
            moved, gpts=tuple(gpts), slice_thickness=thickness, projection="infinite", parametrization=parametrization
        )
        yield potential.build(lazy=False)


def _tensor_roots(displacement: np.ndarray) -> np.ndarray:
    """Symmetric square roots of displacement tensors, shape (atoms, 3, 3) [Å]; zero displacements are allowed."""
    values, vectors = np.linalg.eigh(np.asarray(displacement, dtype=float))
    return np.einsum("nij,nj,nkj->nik", vectors, np.sqrt(np.clip(values, 0.0, None)), vectors)


def slice_periods(slices: SlicePotentials, cells: Sequence[int]) -> Iterator[TransmissionFunction]:
    """The plane-wave engine's own slice potentials as an endless pile of abTEM transmission functions.

    Parameters
    ----------
    slices : SlicePotentials
        Potential and absorption of one period of an orthogonal cell.
    cells : two ints
        Cells along x and y.
    """
    cell = np.asarray(slices.cell_2d, dtype=float)
    if abs(cell[0, 1]) > 1e-6 * cell[0, 0] or abs(cell[1, 0]) > 1e-6 * cell[1, 1]:
        raise ValueError(f"cell_2d: got {cell.tolist()}, accepted: an orthogonal cell along x and y [Å]")
    sigma = energy2sigma(slices.energy_ev)
    wave = np.exp(1j * sigma * np.asarray(slices.potential, dtype=float) - np.asarray(slices.absorption, dtype=float))
    wave = np.tile(wave.astype(np.complex64), (1, int(cells[0]), int(cells[1])))
    extent = (float(cell[0, 0]) * cells[0], float(cell[1, 1]) * cells[1])
    function = TransmissionFunction(
        wave, slice_thickness=tuple(float(d) for d in slices.slice_depths), extent=extent, energy=slices.energy_ev
    )
    # abTEM limits the band of a transmission function only where it computes it itself.
    function = abtem.antialias.AntialiasAperture().bandlimit(function)
    return itertools.repeat(function)
