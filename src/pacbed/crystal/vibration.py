"""Vibrating atoms of a supercell, prepared for displaced slices: what frozen phonons need to know of a crystal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_structure
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.scattering.form_factors import projected_coefficient
from pacbed.crystal.slicing import slice_level
from pacbed.errors import StructureError


@dataclass(frozen=True)
class VibratingAtoms:
    """Atoms of one cell, and their scattering on the grid of a supercell of `cells` x `cells` of it.

    Attributes
    ----------
    cells : int
        Edge of the supercell, in cells.
    level : ndarray of int, shape (atom,)
        Slice of each atom.
    fractional : ndarray, shape (atom, 2)
        In-plane positions in units of the cell.
    root : ndarray, shape (atom, 2, 2)
        Symmetric square root of the displacement tensor in the image plane [Å]; in units of the cell, displacements
        are `normal @ root @ inv(cell_a)`.
    occupancy : ndarray, shape (atom,)
        Site occupancy, 0 to 1.
    species : ndarray of int, shape (atom,)
        Index into `coefficient`.
    coefficient : ndarray of float32, shape (species, x, y)
        Fourier transform of the projected potential of one atom at rest [eV Å^3], on the frequencies of the
        supercell's grid made finer: a displaced atom scatters to angles that the cell's grid does not carry, and what
        goes there is missing from the elastic beams all the same.
    """

    cells: int
    level: np.ndarray
    fractional: np.ndarray
    root: np.ndarray
    occupancy: np.ndarray
    species: np.ndarray
    coefficient: np.ndarray


def vibrating_atoms(
    slices: SlicePotentials, *, cells: int, oversampling: int = 2, crystal: Crystal | None = None
) -> VibratingAtoms:
    """Atoms behind slice potentials, each in the slice that holds it there.

    Parameters
    ----------
    slices : SlicePotentials
        Cell, grid, slices; the CIF file they came from must still be there.
    cells : int
        Edge of the supercell, in cells.
    oversampling : int
        How many times finer than that of the slices the grid of the displaced atoms is.
    crystal : Crystal, optional
        Oriented crystal in place of that file.

    Raises
    ------
    StructureError
        The crystal is another one than that of the slices.
    """
    # ASSUME: a displacement along the beam leaves an atom in its slice; it would change phases by the small path
    # difference dz g^2 lambda / 2 only (Loane, Xu & Silcox, Acta Cryst. A47 (1991) 267).
    if crystal is None:
        crystal = orient(read_structure(slices.source, slices.reading).crystal, slices.zone_axis)
    if not np.allclose(crystal.cell[:2, :2], slices.cell_a, atol=1e-4):
        raise StructureError(f"{slices.source}: its cell is not that of the slices, accepted: the file they came from")
    kinds = sorted(set(crystal.symbols))
    return VibratingAtoms(
        cells=cells,
        level=np.array([slice_level(height, len(slices.potential)) for height in crystal.fractional[:, 2]]),
        fractional=crystal.fractional[:, :2],
        root=_roots(crystal.displacement[:, :2, :2]),
        occupancy=np.asarray(crystal.occupancy, dtype=float),
        species=np.array([kinds.index(symbol) for symbol in crystal.symbols]),
        coefficient=_coefficients(slices, cells, oversampling, kinds),
    )


def _coefficients(slices: SlicePotentials, cells: int, oversampling: int, kinds: list[str]) -> np.ndarray:
    """Scattering of each element on the frequencies of the fine grid, unpaired Nyquist frequencies left out."""
    grid = [oversampling * cells * points for points in slices.grid]
    h = np.stack(np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in grid), indexing="ij"), axis=-1)
    paired = (np.abs(h[..., 0]) < grid[0] / 2) & (np.abs(h[..., 1]) < grid[1] / 2)
    length = np.linalg.norm(h @ slices.reciprocal / cells, axis=-1)
    return np.stack(
        [np.where(paired, projected_coefficient(kind, length, slices.parametrization), 0.0) for kind in kinds]
    ).astype(np.float32)


def _roots(tensors: np.ndarray) -> np.ndarray:
    """Symmetric square roots, shape (atom, 2, 2); zero displacements are allowed."""
    values, vectors = np.linalg.eigh(tensors)
    return np.einsum("aij,aj,akj->aik", vectors, np.sqrt(np.clip(values, 0.0, None)), vectors)
