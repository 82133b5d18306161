"""The plane-wave engine's slices on an orthogonal cell, and side by side."""

from __future__ import annotations

import abtem
import numpy as np
import pytest

from pacbed.errors import SimulationError
from pacbed.simulation.scan.displaced_atoms import coarser
from pacbed.simulation.scan.supercell import orthogonal_slices, rectangle

from .small_crystal import crystal, slices


def test_slice_potentials_match_abtem():
    """The same Lobato atoms, cut at the same planes, on an orthogonal cell."""
    ours, finer = slices(), 4
    atoms = crystal().to_atoms()
    atoms.positions[:, 2] += 3.9 / 4
    # abTEM divides by a pixel's transfer function; on a grid four times finer that is 1e-3 at our highest frequency.
    with abtem.config.set({"diagnostics.progress_bar": False}):
        fine = abtem.Potential(atoms, gpts=(32 * finer, 36 * finer), slice_thickness=3.9 / 2, projection="infinite")
        theirs = coarser(fine.build(lazy=False), ours.grid)
    mine, yours = (np.fft.fft2(array.astype(float), norm="forward") for array in (ours.potential, theirs.array))
    mine[:, 16], yours[:, 16], mine[:, :, 18], yours[:, :, 18] = 0, 0, 0, 0  # the unpaired Nyquist frequencies
    assert np.linalg.norm(mine - yours) < 1e-3 * np.linalg.norm(yours)
    assert np.abs(mine - yours).max() < 1e-3 * np.abs(yours).max()
    assert np.linalg.norm(mine[::-1] - yours) > 0.1 * np.linalg.norm(yours)
    assert np.linalg.norm(mine.conj() - yours) > 0.1 * np.linalg.norm(yours)


def test_a_supercell_repeats_the_cell():
    cell = orthogonal_slices(slices())
    one, wide = (next(cell.periods(cells)) for cells in ((1, 1), (2, 3)))
    assert wide.extent == pytest.approx((2 * 4.1, 3 * 4.9))
    np.testing.assert_array_equal(wide.array, np.tile(one.array, (1, 2, 3)))
    assert sum(wide.slice_thickness) == pytest.approx(3.9)


def test_hexagonal_cell_becomes_a_rectangle_of_two():
    cell = np.array([[4.2, 0, 0], [-2.1, 2.1 * np.sqrt(3), 0], [0, 0, 3.9]])
    wide = orthogonal_slices(slices(cell, grid=(32, 32)))
    assert wide.lengths_a == pytest.approx((4.2, 4.2 * np.sqrt(3)))
    x, y = wide.transmission.shape[1:]
    # b + a/2 is half the rectangle's second edge, a/2 half its first: the centred cell repeats after half of both.
    assert np.allclose(np.roll(wide.transmission, (x // 2, y // 2), axis=(1, 2)), wide.transmission, atol=1e-5)
    assert not np.allclose(np.roll(wide.transmission, x // 2, axis=1), wide.transmission, atol=1e-2)


@pytest.mark.parametrize(
    ("second", "expected"),
    [([0.0, 5.0], (0, 1)), ([-2.1, 3.6], (1, 2)), ([2.1, 3.6], (-1, 2)), ([1.4, 3.0], (-1, 3)), ([4.2, 3.0], (-1, 1))],
)
def test_a_rectangle_is_made_of_whole_cells(second, expected):
    cell = np.array([[4.2, 0.0], second])
    along, rows = rectangle(cell)
    assert (along, rows) == expected
    assert (along * cell[0] + rows * cell[1]) @ cell[0] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("second", [[-1.2345, 3.6], [4.2 / 13, 3.0]])
def test_a_cell_without_rectangle_is_refused(second):
    with pytest.raises(SimulationError, match=r"cell_a: got .* accepted: .* up to 12, in a rectangle"):
        rectangle(np.array([[4.2, 0.0], second]))


def test_a_cell_that_does_not_lie_along_x_is_refused():
    with pytest.raises(SimulationError, match=r"cell_a.*a along x"):
        rectangle(np.array([[4.0, 1.0], [-1.0, 4.0]]))


def test_incommensurate_slices_are_refused():
    cell = np.array([[4.2, 0, 0], [-1.2345, 3.6, 0], [0, 0, 3.9]])
    with pytest.raises(SimulationError, match=r"cell_a.*rectangle"):
        orthogonal_slices(slices(cell, grid=(32, 32)))
