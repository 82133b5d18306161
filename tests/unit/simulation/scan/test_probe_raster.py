"""The smallest raster cancels what it has to, with no position to spare."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.simulation.scan.probes import positions_needed
from pacbed.simulation.scan.raster import smallest_raster, spread_over

HEXAGONAL = np.array([[9.2, 0.0], [-4.6, 4.6 * np.sqrt(3)]])
SQUARE = np.diag([4.6, 4.6])
OBLIQUE = np.array([[4.1, 0.0], [-1.3, 4.9]])


def _worst_interference(positions, cell, convergence_mrad, energy_ev):
    """Largest |mean of exp(2 pi i G.R)| of the beams that interfere, brute force."""
    index = np.stack(np.meshgrid(*[np.arange(-25, 26)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    g = index @ np.linalg.inv(cell).T
    length_mrad = mrad_per_inverse_a(energy_ev) * np.linalg.norm(g, axis=1)
    g = g[(length_mrad <= 2 * convergence_mrad) & (length_mrad > 0)]
    return np.abs(np.exp(2j * np.pi * g @ positions.T).mean(axis=1)).max(initial=0.0)


@pytest.mark.parametrize("cell", [HEXAGONAL, SQUARE, OBLIQUE], ids=["hexagonal", "square", "oblique"])
@pytest.mark.parametrize("convergence_mrad", [5.0, 13.6, 25.0])
def test_every_interfering_pair_averages_to_zero(cell, convergence_mrad):
    positions = smallest_raster(cell, convergence_mrad, 200e3)
    assert _worst_interference(positions, cell, convergence_mrad, 200e3) < 1e-9


def test_one_position_is_enough_without_overlap():
    assert smallest_raster(SQUARE, 1.0, 200e3).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(
    ("cell", "energy_ev", "convergence_mrad", "expected", "rows"),
    [(SQUARE, 80e3, 25.0, 30, 36), (HEXAGONAL, 300e3, 15.0, 148, 375)],
    ids=["rutile", "beryl"],
)
def test_it_has_fewer_positions_than_rows_along_a_rectangle(cell, energy_ev, convergence_mrad, expected, rows):
    rectangle = (cell[0, 0], cell[1, 1] * (1 if cell[1, 0] == 0 else 2))
    assert np.prod(positions_needed(convergence_mrad, rectangle, energy_ev)) == rows
    assert len(smallest_raster(cell, convergence_mrad, energy_ev)) == expected


def test_spreading_moves_by_whole_cells_to_many_of_them():
    positions = smallest_raster(SQUARE, 25.0, 80e3)
    moved = spread_over(positions, (4.6, 4.6), (8, 5))
    assert np.allclose((moved - positions + 1e-9) % 4.6, 0, atol=1e-6)
    cells = np.unique(np.floor((moved - positions) / 4.6 + 1e-9), axis=0)
    assert len(cells) > 0.7 * len(positions)
    assert cells.max(axis=0).tolist() == [7.0, 4.0]
