"""The smallest raster cancels what it has to, with no position to spare."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.electron import wavelength_a
from pacbed.simulation.scan.raster import positions_needed, rectangular_raster, smallest_raster, spread_over

HEXAGONAL = np.array([[9.2, 0.0], [-4.6, 4.6 * np.sqrt(3)]])
SQUARE = np.diag([4.6, 4.6])
OBLIQUE = np.array([[4.1, 0.0], [-1.3, 4.9]])


def _worst_interference(positions, cell, convergence_mrad, energy_ev):
    """Largest |mean of exp(2 pi i G.R)| of the beams that interfere, brute force."""
    index = np.stack(np.meshgrid(*[np.arange(-25, 26)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    g = index @ np.linalg.inv(cell).T
    length_mrad = 1e3 * wavelength_a(energy_ev) * np.linalg.norm(g, axis=1)
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


@pytest.mark.parametrize("cell", [HEXAGONAL, SQUARE, OBLIQUE], ids=["hexagonal", "square", "oblique"])
def test_the_raster_covers_the_cell_once(cell):
    """Positions are inside the cell, all different, and of equal weight: a lattice finer than the crystal's."""
    positions = smallest_raster(cell, 15.0, 200e3)
    fractional = positions @ np.linalg.inv(cell)
    assert fractional.min() > -1e-9
    assert fractional.max() < 1 - 1e-9
    differences = (fractional[:, None] - fractional[None]).reshape(-1, 2)
    differences -= np.round(differences)
    assert np.sum(np.linalg.norm(differences, axis=1) < 1e-6) == len(positions)
    known = {tuple(np.round(point % 1.0, 6) % 1.0) for point in fractional}
    sums = {tuple(np.round((a + b) % 1.0, 6) % 1.0) for a in fractional for b in fractional}
    assert sums == known


def test_no_position_of_an_exhaustive_search_could_be_spared():
    """Every raster that is a lattice and has fewer positions leaves a pair of beams that interferes."""
    needed = len(smallest_raster(OBLIQUE, 6.0, 200e3))
    assert needed > 3
    for count in range(1, needed):
        for rows in (rows for rows in range(1, count + 1) if count % rows == 0):
            for shear in range(count // rows):
                first, second = (index.reshape(-1) for index in np.indices((count // rows, rows)))
                fractional = np.stack([(first + shear * second / rows) * rows / count, second / rows], axis=1)
                assert _worst_interference(fractional @ OBLIQUE, OBLIQUE, 6.0, 200e3) > 0.1


def test_positions_needed_exceed_the_disk_over_the_first_beam():
    alpha = 1e3 * wavelength_a(200e3) / 4.1  # |G1| along x: 2 alpha / |G1| is 2
    assert positions_needed(0.999 * alpha, (4.1, 4.1), 200e3) == (2, 2)
    assert positions_needed(1.001 * alpha, (4.1, 8.2), 200e3) == (3, 5)


def test_rows_along_a_rectangle_cancel_what_they_must_and_no_fewer_do():
    lengths = (4.1, 4.9)
    counts = positions_needed(9.3, lengths, 200e3)
    cell = np.diag(lengths)
    assert _worst_interference(rectangular_raster(lengths, counts), cell, 9.3, 200e3) < 1e-9
    fewer = rectangular_raster(lengths, (counts[0] - 1, counts[1]))
    assert _worst_interference(fewer, cell, 9.3, 200e3) > 0.9


def test_spread_rows_cover_one_cell_modulo_the_lattice():
    plain = rectangular_raster((4.1, 4.9), (3, 2))
    wide = rectangular_raster((4.1, 4.9), (3, 2), cells=(6, 6), spread=True)
    assert np.allclose(wide % (4.1, 4.9), plain)
    assert wide.max(axis=0) == pytest.approx([(2 / 3 + 4) * 4.1, 3.5 * 4.9])
