"""Compiled loops of the plane-wave engine against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.simulation.multislice.kernels import squared_beams, transmit


@pytest.fixture
def wave():
    rng = np.random.default_rng(4)
    return (rng.normal(size=(5, 91)) + 1j * rng.normal(size=(5, 91))).astype(np.complex64)


def test_transmit_multiplies_and_adds_up_what_is_absorbed(wave):
    rng = np.random.default_rng(5)
    transmission = np.exp(1j * rng.normal(size=91)).astype(np.complex64)
    absorbed, taken = rng.uniform(size=91).astype(np.float32), np.arange(5, dtype=np.float32)
    before = wave.copy()
    transmit(wave, transmission, absorbed, taken)
    np.testing.assert_allclose(wave, before * transmission, rtol=1e-5)
    np.testing.assert_allclose(taken, np.arange(5) + np.abs(before) ** 2 @ absorbed, rtol=1e-5)


@pytest.mark.parametrize("directions", [1, 3, 5])
def test_beams_and_norm_of_the_first_directions(wave, directions):
    columns = np.array([90, 0, 17, 17])
    intensity = np.full((directions, 4), np.nan, dtype=np.float32)
    norm = squared_beams(wave, columns, intensity)
    np.testing.assert_allclose(intensity, np.abs(wave[:directions, columns]) ** 2, rtol=1e-6)
    np.testing.assert_allclose(norm, np.sum(np.abs(wave[:directions]) ** 2, axis=1), rtol=1e-5)


def test_no_beam_is_wanted(wave):
    norm = squared_beams(wave, np.zeros(0, dtype=np.int64), np.zeros((5, 0), dtype=np.float32))
    assert norm.shape == (5,)
    assert np.all(norm > 0)
