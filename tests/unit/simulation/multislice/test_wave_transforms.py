"""Transforms of waves: the right ones, with every library, and the same ones again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.simulation.multislice import fourier as module
from pacbed.simulation.multislice.fourier import FILE, save_plans, use_plans, wave_transforms

SHAPE = (3, 20, 12)


@pytest.fixture(params=["fftw", "scipy"])
def library(request, monkeypatch):
    monkeypatch.setattr(module, "HAS_FFTW", request.param == "fftw")
    return request.param


def _waves():
    rng = np.random.default_rng(1)
    return (rng.normal(size=SHAPE) + 1j * rng.normal(size=SHAPE)).astype(np.complex64)


def test_transforms_do_not_divide(library):
    transforms, waves = wave_transforms(SHAPE), _waves()
    assert transforms.wave.shape == SHAPE and not transforms.wave.any()
    transforms.wave[:] = waves
    space = transforms.to_space(transforms.wave)
    expected = np.fft.ifft2(waves) * 240
    np.testing.assert_allclose(space, expected, atol=2e-5 * np.abs(expected).max())
    back = transforms.to_frequencies(space)
    np.testing.assert_allclose(back, waves * 240, atol=2e-5 * 240 * np.abs(waves).max())


def test_plans_are_stored_and_used(library, tmp_path):
    save_plans(SHAPE, tmp_path)
    assert json.loads((tmp_path / FILE).read_text())["library"] == library
    use_plans(tmp_path)
    first, second = wave_transforms(SHAPE), wave_transforms(SHAPE)
    for transforms in (first, second):
        transforms.wave[:] = _waves()
    np.testing.assert_array_equal(first.to_space(first.wave), second.to_space(second.wave))


def test_runs_on_one_machine_share_their_plans(tmp_path, monkeypatch, caplog):
    pyfftw = pytest.importorskip("pyfftw")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folders = [tmp_path / name for name in "abc"]
    made = []
    monkeypatch.setattr(module, "_fftw", lambda shape, plan=module._fftw: (made.append(shape), plan(shape))[1])
    for folder in folders:
        folder.mkdir()
        if folder.name == "c":  # what is damaged is made again
            next((tmp_path / "cache" / "pacbed").iterdir()).write_text("no wisdom")
        save_plans(SHAPE, folder)
    assert len(made) == 2
    assert (folders[0] / FILE).read_text() == (folders[1] / FILE).read_text()
    assert len(list((tmp_path / "cache" / "pacbed").iterdir())) == 1
    (tmp_path / "cache" / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache" / "file"))
    save_plans(SHAPE, folders[0])
    assert "not kept for other runs" in caplog.text
    pyfftw.forget_wisdom()


def test_a_folder_without_plans_is_fine_and_a_damaged_file_is_not(tmp_path):
    use_plans(tmp_path)
    for text in ("{", "[]", "{}"):
        (tmp_path / FILE).write_text(text)
        with pytest.raises(FormatError, match=r"fft_plans\.json: damaged"):
            use_plans(tmp_path)


def test_stored_plans_are_found_by_another_process(tmp_path, caplog):
    pyfftw = pytest.importorskip("pyfftw")
    save_plans(SHAPE, tmp_path)
    pyfftw.forget_wisdom()
    with caplog.at_level("INFO"):
        use_plans(tmp_path)
        wave_transforms(SHAPE)
        assert "plans" not in caplog.text
        pyfftw.forget_wisdom()
        wave_transforms(SHAPE)
        assert caplog.text.count("FFTW plans") == 4  # along both axes, there and back
