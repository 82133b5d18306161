"""Supercells for the `scan` engine: frozen phonons, or the plane-wave engine's own slices laid out side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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


class SupercellGrid(NamedTuple):
    """Where the potential of a supercell of displaced atoms is computed.

    Attributes
    ----------
    points : tuple of two int
        Grid points of the supercell along x and y.
    slices : int
        Slices per period, equally thick.
    oversampling : int
        Compute the potentials on a grid so many times finer and keep the frequencies of `points`. abTEM shares an atom
        out among the four nearest grid points, which is a displacement of its own with a mean square of about
        (spacing / oversampling)^2 / 6 along each axis.
    """

    points: tuple[int, int]
    slices: int
    oversampling: int = 1


def frozen_phonon_periods(
    cell: Atoms,
    displacement: np.ndarray,
    *,
    cells: Sequence[int],
    grid: SupercellGrid,
    rng: np.random.Generator,
    parametrization: str = "lobato",
    occupancy: np.ndarray | None = None,
) -> Iterator[PotentialArray]:
    """Endless, independently displaced periods of an N x M supercell.

    abTEM's own `FrozenPhonons` knows one standard deviation per axis; a site's tensor need not be diagonal, so the
    atoms are moved here. As in the slice potentials, an atom belongs to the nearest plane z = i depth.

    Parameters
    ----------
    cell : ase.Atoms
        One orthogonal oriented cell, z along the beam.
    displacement : numpy.ndarray, shape (atom, 3, 3)
        Mean-square displacement tensor of each site, cartesian [Å^2].
    cells : two ints
        Cells along x and y.
    grid : SupercellGrid
        Grid and slices of the supercell.
    rng : numpy.random.Generator
        Source of the displacements.
    parametrization : {"lobato", "kirkland"}
        Table of form factors.
    occupancy : numpy.ndarray, shape (atom,), optional
        Probability that a site holds its atom; atoms of one site exclude each other.
    """
    # ASSUME: Einstein model, every atom moves alone, with the displacement tensor of its site (Loane, Xu & Silcox, Acta
    # Cryst. A47 (1991) 267).
    count = int(cells[0]) * int(cells[1])
    period = cell * (int(cells[0]), int(cells[1]), 1)
    roots = np.tile(_tensor_roots(displacement), (count, 1, 1))
    thickness = float(period.cell[2, 2]) / grid.slices
    period.positions[:, 2] += thickness / 2  # abTEM cuts at z = i depth: planes belong between the cuts
    share = np.ones(len(cell)) if occupancy is None else np.asarray(occupancy, dtype=float)
    sites = _sites(cell) if np.any(share < 1) else None
    while True:
        moved = period.copy()
        moved.positions += np.einsum("nij,nj->ni", roots, rng.standard_normal((len(period), 3)))
        moved.wrap()
        if sites is not None:
            moved = moved[occupied(sites, share, count, rng)]
        yield _potential(moved, grid, thickness, parametrization)


def _potential(atoms: Atoms, grid: SupercellGrid, thickness_a: float, parametrization: str) -> PotentialArray:
    """Projected potentials of the slices of one period of atoms [eV Å]."""
    potential = abtem.Potential(
        atoms,
        gpts=tuple(points * grid.oversampling for points in grid.points),
        slice_thickness=thickness_a,
        projection="infinite",
        parametrization=parametrization,
    )
    built = potential.build(lazy=False)
    return built if grid.oversampling == 1 else coarser(built, grid.points)


def _sites(cell: Atoms) -> np.ndarray:
    """Number of the site of each atom, shape (atom,): atoms at one position share a site."""
    together = cell.get_all_distances(mic=True) < SAME_SITE_A
    return np.argmax(together, axis=1)


def occupied(sites: np.ndarray, share: np.ndarray, cells: int, rng: np.random.Generator) -> np.ndarray:
    """Draw which atoms are there: at most one per site, each with its own probability.

    Parameters
    ----------
    sites : numpy.ndarray of int, shape (atom,)
        Number of the site of each atom of a cell.
    share : numpy.ndarray, shape (atom,)
        Occupancy of each; those of one site add up to at most 1.
    cells : int
        Number of cells.
    rng : numpy.random.Generator
        Source of the draw.

    Returns
    -------
    numpy.ndarray of bool, shape (cells * atom,)
    """
    # ASSUME: sites are filled independently of each other, cell by cell (no short-range order), as in a solid solution.
    order = np.argsort(sites, kind="stable")
    upper = np.empty(len(share))
    for site in np.unique(sites):
        members = order[sites[order] == site]
        upper[members] = np.cumsum(share[members])
    draw = rng.random((cells, len(share)))[:, sites]
    return ((draw < upper) & (draw >= upper - share)).reshape(-1)


def coarser(fine: PotentialArray, points: Sequence[int]) -> PotentialArray:
    """The same potential with the frequencies that a coarser grid of so many points along x and y carries."""
    coefficients = np.fft.fftshift(np.fft.fft2(fine.array, norm="forward"), axes=(1, 2))
    x, y = (total // 2 - count // 2 for total, count in zip(fine.gpts, points, strict=True))
    kept = np.fft.ifftshift(coefficients[:, x : x + points[0], y : y + points[1]], axes=(1, 2))
    array = np.fft.ifft2(kept, norm="forward").real.astype(np.float32)
    return PotentialArray(array, slice_thickness=fine.slice_thickness, extent=fine.extent)


def _tensor_roots(displacement: np.ndarray) -> np.ndarray:
    """Symmetric square roots of displacement tensors, shape (atom, 3, 3) [Å]; zero displacements are allowed."""
    values, vectors = np.linalg.eigh(np.asarray(displacement, dtype=float))
    return np.einsum("nij,nj,nkj->nik", vectors, np.sqrt(np.clip(values, 0.0, None)), vectors)


class _TransmissionArray(PotentialArray):
    """Transmission functions instead of potentials: abTEM's potentials are real and know no absorption."""

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
    """Smallest integers (m, n) that make m a + n b perpendicular to a.

    Parameters
    ----------
    cell : numpy.ndarray, shape (2, 2)
        In-plane lattice vectors a and b as rows [Å], a along x.

    Raises
    ------
    SimulationError
        There are none with n up to twelve, or a does not lie along x.
    """
    for rows in range(1, MOST_ROWS + 1):
        along = -rows * cell[1, 0] / cell[0, 0]
        if abs(along - round(along)) < 1e-4 and abs(cell[0, 1]) < 1e-6 * cell[0, 0]:
            return round(along), rows
    raise SimulationError(
        f"cell_a: got {np.round(cell, 4).tolist()}, accepted: a cell with a along x and a whole number of cells, up "
        f"to {MOST_ROWS}, in a rectangle; {ONLY_RECTANGLES}"
    )
