"""Supercells for the `scan` engine: frozen phonons, or the plane-wave engine's own slices laid out side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import abtem
import numpy as np
import scipy.fft
from abtem.core.energy import energy2sigma
from abtem.potentials.iam import PotentialArray, TransmissionFunction
from ase import Atoms

from pacbed.crystal.cif import SAME_SITE_A
from pacbed.crystal.potentials import BAND_FRACTION, SlicePotentials
from pacbed.errors import SimulationError

MOST_ROWS = 12  # cells in the rectangle that stands for an oblique cell
ONLY_RECTANGLES = "abTEM scans rectangles only, so this crystal has no direct simulation to compare with"


def frozen_phonon_periods(
    cell: Atoms,
    displacement: np.ndarray,
    *,
    cells: Sequence[int],
    gpts: Sequence[int],
    slices: int,
    rng: np.random.Generator,
    parametrization: str = "lobato",
    oversampling: int = 1,
    occupancy: np.ndarray | None = None,
) -> Iterator[PotentialArray]:
    """Endless, independently displaced periods of an N x M supercell.

    abTEM's own `FrozenPhonons` knows one standard deviation per axis; a site's tensor need not be diagonal, so the
    atoms are moved here. As in the slice potentials, an atom belongs to the nearest plane z = i depth.

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
    oversampling : int
        Compute the potentials on a grid so many times finer and keep the frequencies of `gpts`. abTEM shares an atom
        out among the four nearest grid points, which is a displacement of its own with a mean square of about
        (spacing / oversampling)^2 / 6 along each axis.
    occupancy : numpy.ndarray, shape (atoms,), optional
        Probability that a site holds its atom; atoms of one site exclude each other.
    """
    # ASSUME: Einstein model, every atom moves alone, with the displacement tensor of its site (Loane, Xu & Silcox, Acta
    # Cryst. A47 (1991) 267).
    period = cell * (int(cells[0]), int(cells[1]), 1)
    roots = np.tile(_tensor_roots(displacement), (int(cells[0]) * int(cells[1]), 1, 1))
    thickness = float(period.cell[2, 2]) / slices
    period.positions[:, 2] += thickness / 2  # abTEM cuts at z = i depth: planes belong between the cuts
    share = np.ones(len(cell)) if occupancy is None else np.asarray(occupancy, dtype=float)
    sites = _sites(cell) if np.any(share < 1) else None
    while True:
        moved = period.copy()
        moved.positions += np.einsum("nij,nj->ni", roots, rng.standard_normal((len(period), 3)))
        moved.wrap()
        if sites is not None:
            moved = moved[_occupied(sites, share, int(cells[0]) * int(cells[1]), rng)]
        potential = abtem.Potential(
            moved,
            gpts=tuple(points * oversampling for points in gpts),
            slice_thickness=thickness,
            projection="infinite",
            parametrization=parametrization,
        )
        built = potential.build(lazy=False)
        yield built if oversampling == 1 else _coarser(built, gpts)


def _sites(cell: Atoms) -> np.ndarray:
    """Number of the site of each atom, shape (atoms,): atoms in one place share a site."""
    together = cell.get_all_distances(mic=True) < SAME_SITE_A
    return np.argmax(together, axis=1)


def _occupied(sites: np.ndarray, share: np.ndarray, cells: int, rng: np.random.Generator) -> np.ndarray:
    """Draw which atoms are there, shape (cells * atoms,): at most one per site, each with its own probability."""
    # ASSUME: sites are filled independently of each other, cell by cell (no short-range order), as in a solid solution.
    order = np.argsort(sites, kind="stable")
    upper = np.empty(len(share))
    for site in np.unique(sites):
        there = order[sites[order] == site]
        upper[there] = np.cumsum(share[there])
    draw = rng.random((cells, len(share)))[:, sites]
    return ((draw < upper) & (draw >= upper - share)).reshape(-1)


def _coarser(fine: PotentialArray, gpts: Sequence[int]) -> PotentialArray:
    """The same potential with the frequencies that a coarser grid carries."""
    coefficients = np.fft.fftshift(np.fft.fft2(fine.array, norm="forward"), axes=(1, 2))
    x, y = (total // 2 - points // 2 for total, points in zip(fine.gpts, gpts, strict=True))
    kept = np.fft.ifftshift(coefficients[:, x : x + gpts[0], y : y + gpts[1]], axes=(1, 2))
    array = np.fft.ifft2(kept, norm="forward").real.astype(np.float32)
    return PotentialArray(array, slice_thickness=fine.slice_thickness, extent=fine.extent)


def _tensor_roots(displacement: np.ndarray) -> np.ndarray:
    """Symmetric square roots of displacement tensors, shape (atoms, 3, 3) [Å]; zero displacements are allowed."""
    values, vectors = np.linalg.eigh(np.asarray(displacement, dtype=float))
    return np.einsum("nij,nj,nkj->nik", vectors, np.sqrt(np.clip(values, 0.0, None)), vectors)


class _TransmissionArray(PotentialArray):
    """Transmission functions in the place of potentials: abTEM's potentials are real and know no absorption."""

    def transmission_function(self, energy: float) -> TransmissionFunction:
        return TransmissionFunction(self.array, self.slice_thickness, extent=self.extent, energy=energy)


@dataclass(frozen=True)
class OrthogonalSlices:
    """Transmission functions of the plane-wave engine's slices on the smallest orthogonal cell that holds whole cells.

    Attributes
    ----------
    transmission : numpy.ndarray of complex64, shape (slice, x, y)
        exp(i sigma V - mu), frequencies above the band limit removed.
    lengths_a : two floats
        Edges of the orthogonal cell along x and y [Å].
    slice_depth_a, energy_ev, band_limit : float
        Depth of a slice [Å], beam energy [eV], largest spatial frequency kept [1/Å].
    """

    transmission: np.ndarray
    lengths_a: tuple[float, float]
    slice_depth_a: float
    energy_ev: float
    band_limit: float

    def periods(self, cells: Sequence[int]) -> Iterator[PotentialArray]:
        """Endless pile of one period, `cells` orthogonal cells wide along x and y; for beams of `energy_ev` only."""
        period = _TransmissionArray(
            np.tile(self.transmission, (1, int(cells[0]), int(cells[1]))),
            slice_thickness=self.slice_depth_a,
            extent=(self.lengths_a[0] * cells[0], self.lengths_a[1] * cells[1]),
        )
        return itertools.repeat(period)


def orthogonal_slices(slices: SlicePotentials) -> OrthogonalSlices:
    """Lay the cells of slice potentials out on an orthogonal cell, which is all that abTEM knows.

    The transmission functions are computed on the slices' own grid, as the plane-wave engine does, and their Fourier
    coefficients are copied to where the orthogonal cell has them: no interpolation.

    Parameters
    ----------
    slices : SlicePotentials
        One period on an orthogonal or oblique cell with a along x.

    Raises
    ------
    SimulationError
        The slices are sheared, or no orthogonal cell of up to twelve cells exists.
    """
    if np.any(slices.slope):
        raise SimulationError(
            f"slope: got {np.round(slices.slope, 4).tolist()}, accepted: 0, a zone axis with a lattice plane normal to "
            f"it; {ONLY_RECTANGLES}"
        )
    cell = np.asarray(slices.cell_a, dtype=float)
    along, rows = rectangle(cell)
    raw = np.exp(1j * energy2sigma(slices.energy_ev) * slices.potential.astype(float) - slices.absorption)
    coefficients = np.fft.fft2(raw) / raw[0].size
    index = np.stack(np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in slices.grid), indexing="ij"), axis=-1)
    kept = np.linalg.norm(index @ slices.reciprocal, axis=-1) < slices.band_limit
    lengths = (float(cell[0, 0]), float(cell[1, 1]) * rows)
    grid = slices.grid if rows == 1 else _grid_for(lengths, slices.band_limit)
    h = index[kept].astype(int)
    wide = np.zeros((len(raw), *grid), dtype=complex)
    wide[:, h[:, 0] % grid[0], (rows * h[:, 1] + along * h[:, 0]) % grid[1]] = coefficients[:, kept]
    transmission = np.fft.ifft2(wide, norm="forward").astype(np.complex64)
    return OrthogonalSlices(transmission, lengths, slices.slice_depth_a, slices.energy_ev, slices.band_limit)


def _grid_for(lengths: tuple[float, float], band_limit: float) -> tuple[int, int]:
    """Even numbers of grid points, quick to transform, whose band limit is not below the one asked for."""
    x, y = (
        2 * int(scipy.fft.next_fast_len(int(np.ceil(band_limit * length / BAND_FRACTION - 1e-6)), real=True))
        for length in lengths
    )
    return x, y


def rectangle(cell: np.ndarray) -> tuple[int, int]:
    """Smallest integers (m, n) that make m a + n b perpendicular to a."""
    for rows in range(1, MOST_ROWS + 1):
        along = -rows * cell[1, 0] / cell[0, 0]
        if abs(along - round(along)) < 1e-4 and abs(cell[0, 1]) < 1e-6 * cell[0, 0]:
            return round(along), rows
    raise SimulationError(
        f"cell_a: got {np.round(cell, 4).tolist()}, accepted: a cell with a along x and a whole number of cells, up "
        f"to {MOST_ROWS}, in a rectangle; {ONLY_RECTANGLES}"
    )
