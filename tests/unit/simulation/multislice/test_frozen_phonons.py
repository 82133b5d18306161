"""Frozen phonons for plane waves: elastic and diffuse part, bookkeeping, independence of batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.slicing import slice_potentials
from pacbed.crystal.vibration import vibrating_atoms
from pacbed.errors import SimulationError, StructureError
from pacbed.simulation.multislice.frozen_phonons import FrozenPhononEngine, _transmit, cell_bins
from pacbed.simulation.multislice.phonon_pool import PhononPool, displaced, phonon_pool
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine, transmission_functions

OBLIQUE = np.array([[4.2, 0, 0], [-1.3, 3.9, 0], [0, 0, 3.9]])
GRID, DIRECTIONS = (28, 26), 120
TENSOR = np.array([[0.012, 0.004, 0], [0.004, 0.007, 0], [0, 0, 0.008]])


@pytest.fixture(scope="module")
def crystal() -> Crystal:
    """No symmetry, an oblique cell, an anisotropic tensor."""
    fractional = np.array([[0.05, 0.1, 0.0], [0.55, 0.35, 0.5], [0.2, 0.75, 0.5]])
    occupancy = np.array([1.0, 0.8, 1.0])
    return Crystal(
        OBLIQUE, ["Sr", "Ti", "O"], fractional @ OBLIQUE, occupancy, np.array([TENSOR] * 3), "OSrTi", "polar"
    )


def _slices(crystal: Crystal, model: str = "frozen_phonons"):
    return slice_potentials(crystal, zone_axis=(0, 0, -1), energy_ev=200e3, grid=GRID, slices=2, thermal_model=model)


@pytest.fixture(scope="module")
def slices(crystal):
    return _slices(crystal)


@pytest.fixture(scope="module")
def beams() -> np.ndarray:
    """Every beam of the grid."""
    return np.stack(np.meshgrid(np.arange(-14, 14), np.arange(-13, 13), indexing="ij"), axis=-1).reshape(-1, 2)


def _engine(crystal, slices, *, cells: int = 3, entries: int = 8, configurations: int = 1) -> FrozenPhononEngine:
    pool = phonon_pool(slices, vibrating_atoms(slices, cells=cells, crystal=crystal), entries=entries, seed=1)
    return FrozenPhononEngine(slices, pool, configurations=configurations)


@pytest.fixture(scope="module")
def q() -> np.ndarray:
    return np.random.default_rng(4).uniform(-0.3, 0.3, (DIRECTIONS, 2))


@pytest.fixture(scope="module")
def run(crystal, slices, beams, q):
    engine = _engine(crystal, slices, configurations=2)
    return engine.run(q, beams=beams, planes=2, periods_per_plane=10, keys=np.arange(DIRECTIONS))


# Pool


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
    slices = _slices(crystal, model)
    with pytest.raises(SimulationError, match=message):
        phonon_pool(slices, vibrating_atoms(slices, cells=cells, crystal=crystal), entries=entries, seed=1)


def test_another_crystal_is_refused(crystal, slices) -> None:
    with pytest.raises(StructureError, match="its cell is not that of the slices"):
        vibrating_atoms(slices, cells=2, crystal=replace(crystal, cell=OBLIQUE * 1.01))


# Engine


def test_elastic_part_is_the_thermal_mean(run, slices, beams, q) -> None:
    rocking = PlaneWaveEngine(slices).run(q[:5], beams=beams, planes=2, periods_per_plane=10)
    np.testing.assert_allclose(run.intensity[:, :5], rocking.intensity, atol=1e-6)


def test_configurations_agree_with_the_thermal_mean(run, crystal, beams, q) -> None:
    """Pairs of configurations know nothing of the mean; two other models of the same crystal are farther off."""
    options = {"beams": beams, "planes": 2, "periods_per_plane": 10}
    exact, estimate = run.intensity[2].mean(axis=0), run.sampled[2].mean(axis=0)
    error = (run.sampled[2] - run.intensity[2]).std(axis=0) / np.sqrt(DIRECTIONS)
    strong = exact > 1e-3
    deviation = (estimate - exact)[strong] / error[strong]
    assert strong.sum() > 20
    assert np.mean(deviation**2) < 1.6
    for model in ("debye_waller", "none"):
        other = PlaneWaveEngine(_slices(crystal, model)).run(q, **options).intensity[2].mean(axis=0)
        assert np.mean(((other - exact)[strong] / error[strong]) ** 2) > 10


def test_bookkeeping(run) -> None:
    """1 = elastic + diffuse + lost, in the mean: the interference of both parts is left out."""
    missing = 1 - (run.intensity.sum(axis=2) + run.absorbed + run.lost)
    error = missing.std(axis=1) / np.sqrt(DIRECTIONS)
    assert np.all(np.abs(missing.mean(axis=1)) < 4 * error + 1e-6)
    assert error.max() < 1e-3
    assert run.absorbed[2].min() > 10 * error.max()
    assert np.all(run.diffuse >= 0)


@pytest.mark.parametrize("cells", [2, 3])
def test_bins_of_all_beams_hold_the_whole_diffuse_part(crystal, slices, beams, cells) -> None:
    engine = _engine(crystal, slices, cells=cells)
    options = {"beams": beams, "planes": 1, "periods_per_plane": 5, "keys": np.arange(3)}
    q = np.array([[0.0, 0.0], [0.2, -0.1], [0.1, 0.3]])
    resolved = engine.run(q, resolved=True, **options)
    together = engine.run(q, **options)
    assert resolved.diffuse.shape == (2, 3, len(beams), len(engine.offsets))
    np.testing.assert_allclose(resolved.diffuse.sum(axis=3), together.diffuse, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(together.diffuse.sum(axis=2), together.absorbed, rtol=1e-4, atol=1e-7)
    assert together.sampled is None


def test_bins_lie_where_a_slice_scatters(slices) -> None:
    """One slice: the wave is the transmission function, whose Fourier coefficients are known by their indices."""
    rng = np.random.default_rng(5)
    one = replace(slices, potential=slices.potential[:1] * 0, absorption=slices.absorption[:1] * 0)
    rough = rng.normal(size=(1, 1, 3 * GRID[0], 3 * GRID[1])) + 0j
    pool = PhononPool(rough.astype(np.complex64), np.zeros((1, *GRID), dtype=np.complex64), 3)
    engine = FrozenPhononEngine(one, pool)
    beam = np.array([[2, -1]])
    found = engine.run(
        np.array([[0.05, 0.02]]), beams=beam, planes=1, periods_per_plane=1, keys=np.zeros(1, int), resolved=True
    ).diffuse[1, 0, 0]
    coefficients = np.abs(np.fft.fft2(rough[0, 0], norm="forward")) ** 2
    expected = [coefficients[3 * 2 + x, -3 + y] for x in (-1, 0, 1) for y in (-1, 0, 1)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert len(set(np.round(expected, 8))) == 9


def test_the_same_direction_meets_the_same_atoms_in_any_batch(crystal, slices, beams, q, run) -> None:
    engine = _engine(crystal, slices, configurations=2)
    options = {"beams": beams, "planes": 2, "periods_per_plane": 10}
    picked = np.array([70, 3])
    part = engine.run(q[picked], keys=picked, **options)
    np.testing.assert_allclose(part.diffuse, run.diffuse[:, picked], rtol=1e-4, atol=1e-7)
    other = engine.run(q[picked], keys=picked + 1, **options)
    assert np.abs(other.diffuse - part.diffuse).max() > 1e-4


def test_transmission_is_shifted_by_whole_cells() -> None:
    rng = np.random.default_rng(6)
    function = rng.normal(size=(6, 9)) + 1j * rng.normal(size=(6, 9))
    for shift in ((0, 0), (2, 0), (0, 3), (4, 6)):
        wave = np.ones((6, 9), dtype=complex)
        _transmit(wave, function, *shift)
        np.testing.assert_array_equal(wave, np.roll(function, shift, axis=(0, 1)))


def test_bins_of_an_even_supercell_are_shared() -> None:
    offsets, weights = cell_bins(2)
    assert offsets.shape == (9, 2)
    assert weights.tolist() == [0.25, 0.5, 0.25, 0.5, 1.0, 0.5, 0.25, 0.5, 0.25]
    offsets, weights = cell_bins(3)
    assert np.all(weights == 1)
    assert offsets.min() == -1


@pytest.mark.parametrize(("options", "message"), [
    ({"propagator": "paraxial"}, "propagator: got 'paraxial'"),
    ({"configurations": 0}, "configurations: got 0, accepted: 1 or more"),
])  # fmt: skip
def test_settings_that_cannot_be(slices, options, message) -> None:
    pool = PhononPool(np.ones((2, 1, *GRID), np.complex64), np.ones((2, *GRID), np.complex64), 1)
    with pytest.raises(SimulationError, match=message):
        FrozenPhononEngine(slices, pool, **options)
