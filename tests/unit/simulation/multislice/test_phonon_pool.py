"""Pools of displaced slices: their displacements, their mean, and each slice against a sum over its atoms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.electron import interaction_per_ev_a
from pacbed.crystal.scattering.form_factors import projected_coefficient
from pacbed.crystal.vibration import vibrating_atoms
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.phonon_pool import displaced, phonon_pool, transmit_shifted
from pacbed.simulation.multislice.plane_wave import transmission_functions

from .polar import GRID, TENSOR, slices_of


def test_variants_of_a_pool_have_the_thermal_mean(crystal, slices) -> None:
    pool = phonon_pool(slices, vibrating_atoms(slices, cells=2, crystal=crystal), entries=3, seed=2)
    variants = pool.transmission.mean(axis=1).reshape(2, 2, GRID[0], 2, GRID[1]).mean(axis=(1, 3))
    np.testing.assert_allclose(variants, transmission_functions(slices), atol=2e-6)
    assert np.abs(pool.transmission[0, 0] - pool.transmission[0, 1]).max() > 0.1


def test_displacements_have_the_tensor_of_their_site(crystal, slices) -> None:
    atoms = vibrating_atoms(slices, cells=2, crystal=crystal)
    here = np.flatnonzero(atoms.level == 1)
    assert len(here) == 2
    moved = displaced(slices, atoms, here, entries=5, rng=np.random.default_rng(1))
    assert moved.shape == (5, 2, 2, 2, 2)
    away = moved - atoms.fractional[here]
    for cell in np.ndindex(2, 2):
        away[:, *cell] -= cell
    assert np.all(np.abs(away) < 0.3)
    away = (away @ slices.cell_a).reshape(20, 2, 2)
    for atom in range(2):
        np.testing.assert_allclose(away[:, atom].T @ away[:, atom] / 20, TENSOR[:2, :2], rtol=1e-9)


@pytest.mark.parametrize(("entries", "cells", "model", "message"), [
    (1, 2, "frozen_phonons", "pool: got 1 entries of 2 x 2 cells"),
    (8, 3, "debye_waller", "thermal_model: got 'debye_waller'"),
])  # fmt: skip
def test_pools_that_cannot_be(crystal, entries, cells, model, message) -> None:
    slices = slices_of(crystal, model)
    with pytest.raises(SimulationError, match=message):
        phonon_pool(slices, vibrating_atoms(slices, cells=cells, crystal=crystal), entries=entries, seed=1)


def test_sheared_slices_have_no_pool(crystal, slices) -> None:
    atoms = vibrating_atoms(slices, cells=2, crystal=crystal)
    with pytest.raises(SimulationError, match=r"thermal_model: got 'frozen_phonons' on a zone axis without"):
        phonon_pool(replace(slices, slope=np.array([0.3, 0.0])), atoms, entries=4, seed=1)


def test_the_seed_chooses_the_atoms(crystal, slices) -> None:
    atoms = vibrating_atoms(slices, cells=2, crystal=crystal)
    one, again, other = (phonon_pool(slices, atoms, entries=2, seed=seed).transmission for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.05


def test_each_slice_is_that_of_its_displaced_atoms(crystal, slices) -> None:
    """Atom by atom in reciprocal space on the finer grid, in Cartesian coordinates; the pool's mean is moved."""
    cells, entries, level = 2, 2, 1
    atoms = vibrating_atoms(slices, cells=cells, crystal=crystal)
    pool = phonon_pool(slices, atoms, entries=entries, seed=5)
    here = np.flatnonzero(atoms.level == level)
    moved = displaced(slices, atoms, here, entries=entries, rng=np.random.default_rng([5, level])) @ slices.cell_a
    fine = [2 * cells * points for points in GRID]
    h = np.stack(np.meshgrid(*(np.fft.fftfreq(n, 1 / n).astype(int) for n in fine), indexing="ij"), axis=-1)
    g = h @ slices.reciprocal / cells
    paired = np.all(2 * np.abs(h) < fine, axis=-1)
    found = []
    for entry in range(entries):
        total = np.zeros(fine, dtype=complex)
        for x, y, atom in np.ndindex(moved.shape[1:4]):
            number = here[atom]
            form = projected_coefficient(crystal.symbols[number], np.linalg.norm(g, axis=-1), "lobato")
            phase = np.exp(-2j * np.pi * (g @ moved[entry, x, y, atom]))
            total += crystal.occupancy[number] * form * phase * paired
        area = cells**2 * abs(np.linalg.det(slices.cell_a))
        potential = np.fft.ifft2(total, norm="forward").real / area
        spectrum = np.fft.fft2(np.exp(1j * interaction_per_ev_a(200e3) * potential), norm="forward")
        spectrum *= np.linalg.norm(g, axis=-1) < slices.band_limit
        coarse = [np.fft.fftfreq(cells * n, 1 / (cells * n)).astype(int) for n in GRID]
        found.append(np.fft.ifft2(spectrum[np.ix_(*coarse)], norm="forward"))
    difference = pool.transmission[level] - np.array(found)
    shift = difference[0, : GRID[0], : GRID[1]]  # what moves the mean is the same in every entry and cell
    np.testing.assert_allclose(difference, np.broadcast_to(np.tile(shift, (2, 2)), difference.shape), atol=3e-5)
    assert 0.001 < np.abs(shift).max() < 0.3


def test_transmission_is_shifted_by_whole_cells() -> None:
    rng = np.random.default_rng(6)
    function = rng.normal(size=(6, 9)) + 1j * rng.normal(size=(6, 9))
    for shift in ((0, 0), (2, 0), (0, 3), (4, 6)):
        wave = np.ones((6, 9), dtype=complex)
        transmit_shifted(wave, function, *shift)
        np.testing.assert_array_equal(wave, np.roll(function, shift, axis=(0, 1)))
