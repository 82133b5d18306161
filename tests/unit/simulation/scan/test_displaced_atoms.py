"""Supercells of displaced atoms: amplitudes, directions, sites, and independence."""

from __future__ import annotations

import itertools

import abtem
import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.simulation.scan.displaced_atoms import SupercellGrid, coarser, frozen_phonon_periods, occupied
from pacbed.simulation.scan.supercell import orthogonal_slices

from .small_crystal import crystal, scan, slices


def test_a_coarser_grid_keeps_the_frequencies_that_it_carries():
    """A sum of waves: those below the coarse grid's limit are the same function on it, a finer one is gone."""
    x, y = np.meshgrid(np.arange(24) / 24, np.arange(32) / 32, indexing="ij")
    slow = 1.5 + np.cos(2 * np.pi * (3 * x - 2 * y)) + 0.5 * np.sin(2 * np.pi * 5 * y)
    fast = np.cos(2 * np.pi * 11 * x)
    fine = abtem.PotentialArray((slow + fast)[None].astype(np.float32), slice_thickness=1.0, extent=(4.0, 5.0))
    coarse = coarser(fine, (12, 16))
    np.testing.assert_allclose(coarse.array[0], slow[::2, ::2], atol=1e-5)
    assert coarse.extent == (4.0, 5.0)


def test_atoms_at_rest_equal_slices():
    """Frozen phonons of zero amplitude are the perfect crystal of the plane-wave engine."""
    periods = frozen_phonon_periods(
        crystal().to_atoms(), np.zeros((3, 3, 3)), cells=(2, 2), grid=SupercellGrid((64, 72), 2, oversampling=4),
        rng=np.random.default_rng(0),
    )  # fmt: skip
    frozen = scan(periods)[0].intensity
    still = scan(orthogonal_slices(slices()).periods((2, 2)))[0].intensity
    assert np.linalg.norm(frozen - still) < 1e-3 * np.linalg.norm(still)


def test_displacements_have_the_variance_and_direction_of_their_tensor():
    """The mean potential of many configurations is damped along the vibration and nowhere else."""
    tensor = np.zeros((1, 3, 3))
    tensor[0, :2, :2] = 0.02 * np.array([[1, 1], [1, 1]])  # along the diagonal of x and y
    atom = Crystal(np.diag([4.0, 4.0, 2.0]), ["O"], np.zeros((1, 3)), np.ones(1), tensor, "O", "one").to_atoms()

    def periods(displacement):
        grid = SupercellGrid((24, 24), 1, oversampling=4)
        return frozen_phonon_periods(atom, displacement, cells=(1, 1), grid=grid, rng=np.random.default_rng(1))

    mean = np.mean([potential.array[0] for potential in itertools.islice(periods(tensor), 400)], axis=0)
    ratio = np.fft.fft2(mean) / np.fft.fft2(next(periods(0 * tensor)).array[0])
    along, across = ratio[3, 3].real, ratio[3, -3].real  # g = (3, 3) / 4 Å and (3, -3) / 4 Å
    assert along == pytest.approx(np.exp(-2 * np.pi**2 * 0.02 * 4 * (3 / 4) ** 2), abs=0.06)
    assert across == pytest.approx(1.0, abs=0.02)


def test_configurations_are_independent_and_repeatable():
    tensor = np.array([0.01 * np.eye(3)] * 3)

    def draw(seed):
        periods = frozen_phonon_periods(
            crystal().to_atoms(), tensor, cells=(1, 1), grid=SupercellGrid((32, 36), 2),
            rng=np.random.default_rng(seed), parametrization="kirkland",
        )  # fmt: skip
        return [potential.array for potential in itertools.islice(periods, 2)]

    first, again, other = draw(1), draw(1), draw(2)
    assert np.array_equal(first[0], again[0])
    assert not np.allclose(first[0], first[1], rtol=1e-2)
    assert not np.allclose(first[0], other[0], rtol=1e-2)


def test_atoms_of_one_site_exclude_each_other_and_appear_as_often_as_they_should():
    sites, share, cells = np.array([0, 0, 2, 0]), np.array([0.5, 0.2, 0.7, 0.1]), 4000
    drawn = occupied(sites, share, cells, np.random.default_rng(3)).reshape(cells, 4)
    np.testing.assert_allclose(drawn.mean(axis=0), share, atol=0.03)
    assert drawn[:, sites == 0].sum(axis=1).max() == 1
    # The other site is filled whatever the first one holds.
    filled = drawn[drawn[:, 0], 2].mean(), drawn[~drawn[:, 0], 2].mean()
    assert filled[0] == pytest.approx(filled[1], abs=0.05)


def test_a_full_site_always_holds_one_of_its_atoms():
    drawn = occupied(np.array([0, 0]), np.array([0.25, 0.75]), 500, np.random.default_rng(3)).reshape(500, 2)
    assert np.all(drawn.sum(axis=1) == 1)


def test_a_mixed_site_has_the_potential_of_one_or_the_other():
    """A site that Sr and Ti share: every cell of every period holds one whole atom."""
    cell = np.diag([4.0, 4.0, 2.0])
    mixed = Crystal(cell, ["Sr", "Ti"], np.zeros((2, 3)), np.array([0.5, 0.5]), np.zeros((2, 3, 3)), "mixed", "mixed")
    periods = frozen_phonon_periods(
        mixed.to_atoms(), np.zeros((2, 3, 3)), cells=(1, 1), grid=SupercellGrid((16, 16), 1),
        rng=np.random.default_rng(5), occupancy=mixed.occupancy,
    )  # fmt: skip
    heights = [float(period.array.max()) for period in itertools.islice(periods, 12)]
    low, high = min(heights), max(heights)
    assert high > 1.3 * low
    assert all(np.isclose(height, low) or np.isclose(height, high) for height in heights)
