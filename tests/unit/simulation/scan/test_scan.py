"""The scan engine on its own: raster, offsets, frozen phonons, orthogonal supercells."""

from __future__ import annotations

import itertools
from dataclasses import replace

import abtem
import numpy as np
import pytest
from abtem.core.energy import energy2wavelength

from pacbed.crystal.cell import Crystal
from pacbed.crystal.slicing import slice_potentials
from pacbed.errors import SimulationError
from pacbed.simulation.scan.probes import positions_needed, raster, scan_pacbed
from pacbed.simulation.scan.supercell import _coarser, frozen_phonon_periods, orthogonal_slices

CELL = np.diag([4.1, 4.9, 3.9])
ENERGY = 200e3


def _crystal(cell=CELL):
    """Atoms on a grid of 1/32 and 1/36: abTEM blurs those between its grid points."""
    fractional = np.array([[2 / 32, 4 / 36, 0.0], [18 / 32, 13 / 36, 0.5], [7 / 32, 27 / 36, 0.5]])
    return Crystal(cell, ["Sr", "Ti", "O"], fractional @ cell, np.ones(3), np.zeros((3, 3, 3)), "OSrTi", "polar")


def _slices(cell=CELL, grid=(32, 36), **options):
    settings = {"zone_axis": (0, 0, -1), "energy_ev": ENERGY, "grid": grid, "slices": 2, "thermal_model": "none"}
    return slice_potentials(_crystal(cell), **{**settings, **options})


def _scan(periods, *, lengths=(4.1, 4.9), counts=(4, 4), depths=(3,), **options):
    settings = {"energy_ev": ENERGY, "convergence_mrad": 9.3, "max_angle_mrad": 20.0}
    positions = raster(lengths, counts)
    return scan_pacbed(periods, thickness_periods=depths, positions=positions, **{**settings, **options})


def test_slice_potentials_match_abtem():
    """The same Lobato atoms, cut at the same planes, on an orthogonal cell."""
    ours, finer = _slices(), 4
    atoms = _crystal().to_atoms()
    atoms.positions[:, 2] += 3.9 / 4
    # abTEM divides by a pixel's transfer function; on a grid four times finer that is 1e-3 at our highest frequency.
    with abtem.config.set({"diagnostics.progress_bar": False}):
        fine = abtem.Potential(atoms, gpts=(32 * finer, 36 * finer), slice_thickness=3.9 / 2, projection="infinite")
        theirs = _coarser(fine.build(lazy=False), ours.grid)
    mine, yours = (np.fft.fft2(array.astype(float), norm="forward") for array in (ours.potential, theirs.array))
    mine[:, 16], yours[:, 16], mine[:, :, 18], yours[:, :, 18] = 0, 0, 0, 0  # the unpaired Nyquist frequencies
    assert np.linalg.norm(mine - yours) < 1e-3 * np.linalg.norm(yours)
    assert np.abs(mine - yours).max() < 1e-3 * np.abs(yours).max()
    assert np.linalg.norm(mine[::-1] - yours) > 0.1 * np.linalg.norm(yours)
    assert np.linalg.norm(mine.conj() - yours) > 0.1 * np.linalg.norm(yours)


def test_positions_needed_exceed_the_disk_over_the_first_beam():
    wavelength = energy2wavelength(ENERGY)
    alpha = 1e3 * wavelength / 4.1  # |G1| along x: 2 alpha / |G1| is 2
    assert positions_needed(0.999 * alpha, (4.1, 4.1), ENERGY) == (2, 2)
    assert positions_needed(1.001 * alpha, (4.1, 8.2), ENERGY) == (3, 5)


def test_a_finer_raster_changes_nothing_and_a_coarser_one_does():
    slices = orthogonal_slices(_slices())
    enough = positions_needed(9.3, slices.lengths_a, ENERGY)
    exact = _scan(slices.periods((3, 3)), counts=enough)[0].intensity
    finer = _scan(slices.periods((3, 3)), counts=(enough[0] + 2, enough[1] + 1))[0].intensity
    coarse = _scan(slices.periods((3, 3)), counts=(enough[0] - 2, enough[1] - 2))[0].intensity
    assert np.linalg.norm(finer - exact) < 1e-5 * np.linalg.norm(exact)
    assert np.linalg.norm(coarse - exact) > 1e-2 * np.linalg.norm(exact)


def test_spread_raster_covers_one_cell_modulo_the_lattice():
    plain = raster((4.1, 4.9), (3, 2))
    wide = raster((4.1, 4.9), (3, 2), cells=(6, 6), spread=True)
    assert np.allclose(wide % (4.1, 4.9), plain)
    assert wide.max(axis=0) == pytest.approx([(2 / 3 + 4) * 4.1, 3.5 * 4.9])


def test_nothing_but_a_disk_without_a_crystal():
    slices = _slices()
    empty = replace(slices, potential=0 * slices.potential, absorption=0 * slices.absorption)
    pattern = _scan(orthogonal_slices(empty).periods((4, 4)))[0]
    inside = np.hypot(pattern.kx_mrad[None], pattern.ky_mrad[:, None]) <= 9.3
    assert np.allclose(pattern.intensity[inside], 1 / inside.sum(), rtol=1e-4)
    assert pattern.intensity[~inside].max() < 1e-9
    assert np.allclose(pattern.density[inside], 1 / (np.pi * 9.3**2), rtol=1e-4)


def test_several_thicknesses_in_one_run():
    slices = orthogonal_slices(_slices())
    both = _scan(slices.periods((2, 2)), depths=(2, 5))
    assert np.array_equal(both[1].intensity, _scan(slices.periods((2, 2)), depths=(5,))[0].intensity)
    assert not np.allclose(both[0].intensity, both[1].intensity, rtol=1e-2)


def test_offset_samples_the_angles_in_between():
    """Two scans of a small supercell, one with an offset of half a sample, sample what one of twice the width does."""
    slices = orthogonal_slices(_slices())
    wide = _scan(slices.periods((4, 2)))[0]
    step = float(wide.kx_mrad[1] - wide.kx_mrad[0])
    narrow = _scan(slices.periods((2, 2)), offset_mrad=(step, 0.0))[0]
    columns = [int(np.argmin(np.abs(wide.kx_mrad - k))) for k in narrow.kx_mrad if abs(k) < 20]
    assert np.allclose(wide.kx_mrad[columns], narrow.kx_mrad[np.abs(narrow.kx_mrad) < 20], atol=1e-5)
    shared = narrow.density[:, np.abs(narrow.kx_mrad) < 20]
    assert np.linalg.norm(wide.density[:, columns] - shared) < 1e-3 * np.linalg.norm(shared)


def test_absorption_takes_what_it_says():
    """A constant mu takes exp(-2 mu) of the intensity per slice and changes nothing else."""
    slices = _slices()
    absorbing = replace(slices, absorption=np.full_like(slices.absorption, 0.01))
    clear = _scan(orthogonal_slices(slices).periods((2, 2)))[0].intensity
    dim = _scan(orthogonal_slices(absorbing).periods((2, 2)))[0].intensity
    assert np.allclose(dim, clear * np.exp(-2 * 0.01 * 6), rtol=1e-4, atol=1e-9)


def test_hexagonal_cell_becomes_a_rectangle_of_two():
    cell = np.array([[4.2, 0, 0], [-2.1, 2.1 * np.sqrt(3), 0], [0, 0, 3.9]])
    wide = orthogonal_slices(_slices(cell, grid=(32, 32)))
    assert wide.lengths_a == pytest.approx((4.2, 4.2 * np.sqrt(3)))
    x, y = wide.transmission.shape[1:]
    # b + a/2 is half the rectangle's second edge, a/2 half its first: the centred cell repeats after half of both.
    assert np.allclose(np.roll(wide.transmission, (x // 2, y // 2), axis=(1, 2)), wide.transmission, atol=1e-5)
    assert not np.allclose(np.roll(wide.transmission, x // 2, axis=1), wide.transmission, atol=1e-2)


def test_incommensurate_cell_is_refused():
    cell = np.array([[4.2, 0, 0], [-1.2345, 3.6, 0], [0, 0, 3.9]])
    with pytest.raises(SimulationError, match=r"cell_a.*rectangle"):
        orthogonal_slices(_slices(cell, grid=(32, 32)))


def test_atoms_at_rest_equal_slices():
    """Frozen phonons of zero amplitude are the perfect crystal of the plane-wave engine."""
    still_atoms = np.zeros((3, 3, 3))
    rng = np.random.default_rng(0)
    periods = frozen_phonon_periods(
        _crystal().to_atoms(), still_atoms, cells=(2, 2), gpts=(64, 72), slices=2, rng=rng, oversampling=4
    )
    frozen = _scan(periods)[0].intensity
    still = _scan(orthogonal_slices(_slices()).periods((2, 2)))[0].intensity
    assert np.linalg.norm(frozen - still) < 1e-3 * np.linalg.norm(still)


def test_displacements_have_the_variance_and_direction_of_their_tensor():
    """The mean potential of many configurations is damped along the vibration and nowhere else."""
    tensor = np.zeros((1, 3, 3))
    tensor[0, :2, :2] = 0.02 * np.array([[1, 1], [1, 1]])  # along the diagonal of x and y
    atom = Crystal(np.diag([4.0, 4.0, 2.0]), ["O"], np.zeros((1, 3)), np.ones(1), tensor, "O", "one").to_atoms()

    def periods(displacement):
        rng = np.random.default_rng(1)
        grid = {"cells": (1, 1), "gpts": (24, 24), "slices": 1, "oversampling": 4}
        return frozen_phonon_periods(atom, displacement, rng=rng, **grid)

    mean = np.mean([potential.array[0] for potential in itertools.islice(periods(tensor), 400)], axis=0)
    ratio = np.fft.fft2(mean) / np.fft.fft2(next(periods(0 * tensor)).array[0])
    along, across = ratio[3, 3].real, ratio[3, -3].real  # g = (3, 3) / 4 Å and (3, -3) / 4 Å
    assert along == pytest.approx(np.exp(-2 * np.pi**2 * 0.02 * 4 * (3 / 4) ** 2), abs=0.06)
    assert across == pytest.approx(1.0, abs=0.02)


def test_configurations_are_independent_and_repeatable():
    tensor = np.array([0.01 * np.eye(3)] * 3)

    def draw(seed):
        rng = np.random.default_rng(seed)
        periods = frozen_phonon_periods(
            _crystal().to_atoms(), tensor, cells=(1, 1), gpts=(32, 36), slices=2, rng=rng, parametrization="kirkland"
        )
        return [potential.array for potential in itertools.islice(periods, 2)]

    first, again, other = draw(1), draw(1), draw(2)
    assert np.array_equal(first[0], again[0])
    assert not np.allclose(first[0], first[1], rtol=1e-2)
    assert not np.allclose(first[0], other[0], rtol=1e-2)
