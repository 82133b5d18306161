"""Frozen phonons for abTEM: supercells of independently displaced atoms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import abtem
import numpy as np
from abtem.potentials.iam import PotentialArray
from ase import Atoms

from pacbed.crystal.identity import SAME_SITE_A


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
    # ASSUME: sites are filled independently of each other, cell by cell, as in a solid solution without short-range
    # order (Cowley, Phys. Rev. 77, 669 (1950)).
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
