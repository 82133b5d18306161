"""Supercells for the `scan` engine: the plane-wave engine's own slices laid out side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from abtem.core.energy import energy2sigma
from abtem.potentials.iam import PotentialArray, TransmissionFunction

from pacbed.crystal.potentials import BAND_FRACTION, SlicePotentials
from pacbed.errors import SimulationError

MOST_ROWS = 12  # cells in the rectangle that stands for an oblique cell
ONLY_RECTANGLES = "abTEM scans rectangles only, so this crystal has no direct simulation to compare with"


class _TransmissionArray(PotentialArray):
    """Transmission functions instead of potentials: abTEM's potentials are real and know no absorption."""

    def transmission_function(self, energy: float) -> TransmissionFunction:
        """What abTEM asks of a potential for a beam of an energy [eV]: here the functions themselves."""
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
