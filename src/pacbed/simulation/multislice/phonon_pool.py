"""A pool of displaced slices: few are computed, many configurations are drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pacbed.crystal.electron import interaction_per_ev_a
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.plane_wave import below_band_limit, transmission_functions

if TYPE_CHECKING:  # making these needs abTEM, propagating does not
    from pacbed.crystal.vibration import VibratingAtoms

FEWEST_DISPLACEMENTS = 8  # displacements of one site in the pool; fewer cannot be given their exact covariance


@dataclass(frozen=True)
class PhononSettings:
    """Numerics of the thermal model "frozen_phonons".

    Attributes
    ----------
    cells : int
        Edge of the supercell, in cells.
    configurations : int
        Configurations of displaced atoms per direction.
    pool : int
        Displaced slices per level, from which configurations are drawn.
    seed : int
        Source of displacements and of configurations.
    """

    cells: int
    configurations: int
    pool: int
    seed: int


@dataclass(frozen=True)
class PhononPool:
    """Transmission functions of displaced slices of a supercell.

    A configuration draws, for each slice, one entry of the pool and a shift by whole cells: `pool` x `cells`^2
    variants of each slice at the price of `pool`.

    Attributes
    ----------
    transmission : ndarray of complex64, shape (level, entry, x, y)
        exp(i sigma V) on the supercell's grid, frequencies above the band limit removed.
    mean : ndarray of complex64, shape (level, x, y)
        Thermal mean on the grid of one cell, which is also the mean of all variants.
    cells : int
        Edge of the supercell, in cells.
    """

    transmission: np.ndarray
    mean: np.ndarray
    cells: int


def phonon_pool(slices: SlicePotentials, atoms: VibratingAtoms, *, entries: int, seed: int) -> PhononPool:
    """Draw displaced slices.

    The displacements of each site, over all entries and cells, get the site's tensor as their covariance exactly, and
    the entries' mean is moved to the thermal mean. Otherwise a small pool would stand for a crystal of slightly other
    Debye-Waller factors, the same at every depth: 288 displacements know a tensor to 8 %.

    Parameters
    ----------
    slices : SlicePotentials
        Of thermal model "frozen_phonons".
    atoms : VibratingAtoms
        Of the same crystal.
    entries : int
        Displaced slices per level.
    seed : int
        Source of the displacements.

    Raises
    ------
    SimulationError
        The pool is too small to have a covariance, or the slices are sheared or of another thermal model.
    """
    if slices.thermal_model != "frozen_phonons":
        raise SimulationError(f"thermal_model: got {slices.thermal_model!r}, accepted: slices of 'frozen_phonons'")
    # ASSUME: Einstein model, every atom moves alone, with the displacement tensor of its site (Loane, Xu & Silcox, Acta
    # Cryst. A47 (1991) 267).
    if entries * atoms.cells**2 < FEWEST_DISPLACEMENTS:
        accepted = f"entries times cells squared of at least {FEWEST_DISPLACEMENTS}"
        raise SimulationError(
            f"pool: got {entries} entries of {atoms.cells} x {atoms.cells} cells, accepted: {accepted}"
        )
    if np.any(slices.slope):
        raise SimulationError(
            "thermal_model: got 'frozen_phonons' on a zone axis without a lattice plane normal to it, accepted: "
            "'thermal_mean'"
        )
    levels, n = len(slices.potential), atoms.cells
    x, y = slices.grid
    transmission = np.empty((levels, entries, n * x, n * y), dtype=np.complex64)
    for level in range(levels):
        rng = np.random.default_rng([seed, level])
        here = np.flatnonzero(atoms.level == level)
        fractional = displaced(slices, atoms, here, entries=entries, rng=rng)
        for entry in range(entries):
            transmission[level, entry] = _transmission(slices, atoms, here, fractional[entry])
    mean = transmission_functions(slices)
    drawn = transmission.mean(axis=1, dtype=complex).reshape(levels, n, x, n, y).mean(axis=(1, 3))
    transmission += np.tile(mean - drawn, (1, n, n))[:, None].astype(np.complex64)
    return PhononPool(transmission, mean.astype(np.complex64), n)


def displaced(
    slices: SlicePotentials, atoms: VibratingAtoms, here: np.ndarray, *, entries: int, rng: np.random.Generator
) -> np.ndarray:
    """Positions of displaced atoms in a supercell, with the exact covariance of each site over all of them.

    Parameters
    ----------
    slices : SlicePotentials
        Gives the cell.
    atoms : VibratingAtoms
        Sites and displacement tensors.
    here : ndarray of int, shape (atom,)
        Sites wanted, those of one slice.
    entries : int
        Supercells.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (entry, cell, cell, atom, 2)
        In units of the cell, counted from the supercell's corner.
    """
    n = atoms.cells
    normal = rng.standard_normal((entries * n * n, len(here), 2))
    normal -= normal.mean(axis=0)
    covariance = np.einsum("sai,saj->aij", normal, normal) / len(normal)
    values, vectors = np.linalg.eigh(covariance)
    normal = np.einsum("sai,aij,aj,akj->sak", normal, vectors, values**-0.5, vectors)
    moved = np.einsum("sai,aij->saj", normal, atoms.root[here]) @ np.linalg.inv(slices.cell_a)
    corner = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), axis=-1)[None, :, :, None]
    return moved.reshape(entries, n, n, len(here), 2) + atoms.fractional[here] + corner


def transmit_shifted(wave: Any, function: Any, x: int, y: int) -> None:
    """Multiply a wave, in place, by a periodic transmission function shifted by (x, y) grid points.

    Both are arrays of shape (x, y), on the processor or on a GPU; nothing is copied.
    """
    nx, ny = wave.shape
    for rows, moved_rows in ((slice(x, nx), slice(0, nx - x)), (slice(0, x), slice(nx - x, nx))):
        for columns, moved_columns in ((slice(y, ny), slice(0, ny - y)), (slice(0, y), slice(ny - y, ny))):
            wave[rows, columns] *= function[moved_rows, moved_columns]


def _transmission(
    slices: SlicePotentials, atoms: VibratingAtoms, here: np.ndarray, fractional: np.ndarray
) -> np.ndarray:
    """Transmission function of one displaced slice; positions (cell, cell, atom, 2) in units of the cell."""
    n, fine = atoms.cells, atoms.coefficient.shape[1:]
    h = [np.fft.fftfreq(points, 1 / points) for points in fine]
    coefficients = np.zeros(fine, dtype=complex)
    for kind in np.unique(atoms.species[here]):
        chosen = np.flatnonzero(atoms.species[here] == kind)
        position = fractional[:, :, chosen].reshape(-1, 2) / n
        weight = np.tile(atoms.occupancy[here][chosen], n * n)
        # The phase of an atom is a product of one factor per axis, in an oblique cell as well.
        x, y = (np.exp(-2j * np.pi * np.outer(h[axis], position[:, axis])) for axis in (0, 1))
        coefficients += atoms.coefficient[kind] * ((x * weight) @ y.T)
    area = n * n * abs(np.linalg.det(slices.cell_a))
    potential = np.fft.ifft2(coefficients, norm="forward").real / area
    return _band_limited(np.exp(1j * interaction_per_ev_a(slices.energy_ev) * potential), slices, n)


def _band_limited(transmission: np.ndarray, slices: SlicePotentials, cells: int) -> np.ndarray:
    """A function on a fine grid of n x n cells, on the slices' grid without the frequencies above the band limit."""
    coefficients = np.fft.fft2(transmission, norm="forward")
    kept = [np.fft.fftfreq(cells * points, 1 / (cells * points)).astype(int) for points in slices.grid]
    inside = below_band_limit(slices, cells)
    return np.fft.ifft2(coefficients[np.ix_(kept[0], kept[1])] * inside, norm="forward")
