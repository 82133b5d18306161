"""The plane-wave engine on a GPU gives what it gives on the CPU; without a GPU it says so before any work."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pacbed.errors import SimulationError
from pacbed.simulation.device import array_module
from pacbed.simulation.directions import cone_nodes
from pacbed.simulation.gather import gather_rocking_table
from pacbed.simulation.intensity_code import decode
from pacbed.simulation.plane_wave import PlaneWaveEngine
from pacbed.simulation.rocking_block import simulate_rocking_block
from pacbed.simulation.rocking_table import RockingTable

SETTINGS = {
    "block": 0,
    "blocks": 1,
    "thickness_max_nm": 20.0,
    "cone_mrad": 12.0,
    "field_mrad": 20.0,
    "direction_pitch_mrad": 1.0,
    "propagator": "exact",
    "batch": 50,
}


@pytest.mark.gpu
@pytest.mark.parametrize("propagator", ["exact", "fresnel"])
def test_engine_agrees_with_the_cpu(srtio3_slices, propagator):
    beams = cone_nodes(srtio3_slices.reciprocal, 1.5)
    q = np.random.default_rng(1).uniform(-0.6, 0.6, (30, 2))
    cpu, gpu = (
        PlaneWaveEngine(srtio3_slices, propagator=propagator, xp=array_module(device)).run(
            q, beams=beams, planes=4, periods_per_plane=32
        )
        for device in ("cpu", "gpu")
    )
    assert cpu.absorbed[-1].min() > 1e-3  # there is something to compare
    for name in ("intensity", "absorbed", "lost"):
        ours, theirs = getattr(cpu, name), getattr(gpu, name)
        assert isinstance(theirs, np.ndarray)
        assert theirs.dtype == ours.dtype == np.float32
        # 256 slices of two transforms each in single precision
        np.testing.assert_allclose(theirs, ours, atol=2e-5, err_msg=name)


@pytest.mark.gpu
def test_table_agrees_with_the_cpu(srtio3_slices, tmp_path):
    srtio3_slices.save(tmp_path)
    tables = []
    for device in ("cpu", "gpu"):
        simulate_rocking_block(tmp_path, device=device, out_dir=tmp_path / device, **SETTINGS)
        gather_rocking_table([tmp_path / device], tmp_path / f"table_{device}")
        tables.append(RockingTable.load(tmp_path / f"table_{device}"))
    np.testing.assert_array_equal(tables[1].offset, tables[0].offset)
    np.testing.assert_allclose(decode(tables[1].intensity), decode(tables[0].intensity), atol=5e-5)


def test_cpu_is_numpy():
    assert array_module("cpu") is np


def test_unknown_device_is_refused():
    with pytest.raises(SimulationError, match=r"device: got 'tpu', accepted: .*'cpu', 'gpu'"):
        array_module("tpu")


def test_missing_cupy_is_named_before_any_work(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "cupy", None)  # importing it now fails, installed or not
    with pytest.raises(SimulationError, match=r"device: got 'gpu' without CuPy .*accepted: cpu"):
        simulate_rocking_block(tmp_path / "no-such-folder", device="gpu", out_dir=tmp_path / "out", **SETTINGS)
    assert not (tmp_path / "out").exists()
