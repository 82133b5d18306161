"""Transforms of waves: the right ones with every library on any grid, and the same ones again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.simulation.multislice import fourier
from pacbed.simulation.multislice.fourier import PLANS_FILE, save_plans, use_plans, wave_transforms

SHAPE = (3, 20, 12)


@pytest.fixture(params=["fftw", "scipy"])
def library(request, monkeypatch):
    if request.param == "fftw":
        pytest.importorskip("pyfftw")
    monkeypatch.setattr(fourier, "HAS_FFTW", request.param == "fftw")
    return request.param


def _waves(shape):
    rng = np.random.default_rng(1)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


@pytest.mark.parametrize("shape", [SHAPE, (1, 7, 9), (4, 15, 11), (2, 8, 13), (5, 1, 6)])
def test_transforms_are_those_of_numpy_without_a_factor(library, shape):
    transforms, waves = wave_transforms(shape), _waves(shape)
    assert transforms.wave.shape == shape and not transforms.wave.any()
    points = shape[1] * shape[2]
    transforms.wave[:] = waves
    space = np.array(transforms.to_space(transforms.wave))
    expected = np.fft.ifft2(waves.astype(complex)) * points
    np.testing.assert_allclose(space, expected, atol=2e-6 * np.abs(expected).max())
    transforms.wave[:] = waves
    frequencies = np.array(transforms.to_frequencies(transforms.wave))
    expected = np.fft.fft2(waves.astype(complex))
    np.testing.assert_allclose(frequencies, expected, atol=2e-6 * np.abs(expected).max())


def test_there_and_back_multiplies_by_the_number_of_points(library):
    transforms, waves = wave_transforms(SHAPE), _waves(SHAPE)
    transforms.wave[:] = waves
    back = transforms.to_frequencies(transforms.to_space(transforms.wave))
    np.testing.assert_allclose(back, waves * 240, atol=1e-5 * 240 * np.abs(waves).max())


def test_a_single_coefficient_is_a_plane_wave(library):
    """exp(2 pi i (h x / nx + k y / ny)): the sign that a positive frequency has in space."""
    transforms = wave_transforms(SHAPE)
    transforms.wave[1, 2, 5] = 1.0
    space = transforms.to_space(transforms.wave)
    x, y = np.meshgrid(np.arange(20), np.arange(12), indexing="ij")
    np.testing.assert_allclose(space[1], np.exp(2j * np.pi * (2 * x / 20 + 5 * y / 12)), atol=1e-6)
    assert not space[[0, 2]].any()


def test_stored_plans_give_the_same_bits(library, tmp_path, caplog):
    save_plans(SHAPE, tmp_path)
    assert json.loads((tmp_path / PLANS_FILE).read_text())["library"] == library
    found = []
    for _ in range(2):
        if library == "fftw":
            import pyfftw

            pyfftw.forget_wisdom()  # as another process, which has tried nothing yet
        use_plans(tmp_path)
        with caplog.at_level("INFO"):
            transforms = wave_transforms(SHAPE)
        transforms.wave[:] = _waves(SHAPE)
        found.append(np.array(transforms.to_space(transforms.wave)))
    np.testing.assert_array_equal(*found)
    assert "FFTW plans" not in caplog.text


def test_without_stored_plans_fftw_says_that_it_plans(tmp_path, caplog):
    pyfftw = pytest.importorskip("pyfftw")
    pyfftw.forget_wisdom()
    use_plans(tmp_path)  # an empty folder is fine
    with caplog.at_level("INFO"):
        wave_transforms(SHAPE)
    assert "FFTW plans its transforms" in caplog.text


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"single_precision": "x"}'])
def test_damaged_plans_are_refused(tmp_path, text):
    (tmp_path / PLANS_FILE).write_text(text)
    with pytest.raises(FormatError, match=r"fft_plans\.json: damaged .*accepted: what orient_structure writes"):
        use_plans(tmp_path)
