"""Frozen phonons for plane waves: elastic and diffuse part, bookkeeping, independence of batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.vibration import vibrating_atoms
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.frozen_phonons import FrozenPhononEngine
from pacbed.simulation.multislice.phonon_pool import PhononPool, phonon_pool
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine

from .polar import GRID, slices_of

DIRECTIONS = 120


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


def test_elastic_part_is_the_thermal_mean(run, slices, beams, q) -> None:
    rocking = PlaneWaveEngine(slices).run(q[:5], beams=beams, planes=2, periods_per_plane=10)
    np.testing.assert_allclose(run.intensity[:, :5], rocking.intensity, atol=3e-6)


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
        other = PlaneWaveEngine(slices_of(crystal, model)).run(q, **options).intensity[2].mean(axis=0)
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


@pytest.mark.parametrize(("options", "message"), [
    ({"propagator": "paraxial"}, "propagator: got 'paraxial'"),
    ({"configurations": 0}, "configurations: got 0, accepted: 1 or more"),
])  # fmt: skip
def test_settings_that_cannot_be(slices, options, message) -> None:
    pool = PhononPool(np.ones((2, 1, *GRID), np.complex64), np.ones((2, *GRID), np.complex64), 1)
    with pytest.raises(SimulationError, match=message):
        FrozenPhononEngine(slices, pool, **options)
