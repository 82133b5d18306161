"""The plane-wave engines on a GPU give what they give on the CPU; without a GPU they say so before any work."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pacbed.crystal.cif import read_cif
from pacbed.crystal.lattice import cone_nodes
from pacbed.crystal.orientation import orient
from pacbed.crystal.slicing import slice_potentials
from pacbed.errors import SimulationError
from pacbed.simulation.multislice.device import array_module
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.table.codes import decode_coefficients
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings

from . import device_arrays

ROOT = Path(__file__).parents[4]
ONE = {"block": 0, "blocks": 1}
SETTINGS = {
    "thickness_max_nm": 20.0,
    "cone_mrad": 12.0,
    "field_mrad": 20.0,
    "direction_pitch_mrad": 1.0,
    "propagator": "exact",
    "batch": 50,
}


@pytest.fixture(params=[pytest.param("cupy", marks=pytest.mark.gpu), "stand-in"])
def gpu(request, monkeypatch):
    """Device "gpu": a real one, and on any machine the same code with a stand-in for CuPy."""
    if request.param == "stand-in":
        device_arrays.install(monkeypatch)
    return "gpu"


@pytest.mark.parametrize("propagator", ["exact", "fresnel"])
def test_engine_agrees_with_the_cpu(srtio3_slices, propagator, gpu):
    beams = cone_nodes(srtio3_slices.reciprocal, 1.5)
    q = np.random.default_rng(1).uniform(-0.6, 0.6, (30, 2))
    cpu, other = (
        PlaneWaveEngine(srtio3_slices, propagator=propagator, xp=array_module(device)).run(
            q, beams=beams, planes=4, periods_per_plane=32
        )
        for device in ("cpu", gpu)
    )
    assert cpu.absorbed[-1].min() > 1e-3  # there is something to compare
    for name in ("intensity", "absorbed", "lost"):
        ours, theirs = getattr(cpu, name), getattr(other, name)
        assert isinstance(theirs, np.ndarray)
        assert theirs.dtype == ours.dtype == np.float32
        # 256 slices of two transforms each in single precision
        np.testing.assert_allclose(theirs, ours, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("phonons", [None, {"cells": 2, "configurations": 1, "pool": 4, "seed": 3}])
def test_table_agrees_with_the_cpu(srtio3_slices, phonons, tmp_path, gpu):
    slices, settings = srtio3_slices, SETTINGS
    if phonons:  # takes a supercell per direction: a coarse grid and a thin crystal
        oriented = orient(read_cif(ROOT / "structures" / "srtio3.cif"), (0, 0, 1))
        settings = {**SETTINGS, "thickness_max_nm": 4.0, "field_mrad": 16.0, "phonons": phonons}
        slices = slice_potentials(
            oriented, zone_axis=(0, 0, 1), energy_ev=200e3, grid=(32, 32), slices=2, thermal_model="frozen_phonons"
        )
    slices.save(tmp_path)
    tables = []
    for device in ("cpu", gpu):
        asked = TableSettings.of({**settings, "device": device})
        simulate_rocking_block(tmp_path, asked, **ONE, out_dir=tmp_path / device)
        gather_rocking_table([tmp_path / device], tmp_path / f"table_{device}")
        tables.append(RockingTable.load(tmp_path / f"table_{device}"))
    np.testing.assert_array_equal(tables[1].rows, tables[0].rows)
    for kind in ("codes", "diffuse") if phonons else ("codes",):
        ours, theirs = (decode_coefficients(getattr(table, kind)) for table in tables)
        # A code may be rounded to its neighbour, by 3e-5, which the filter of the spline makes up to 30 times as much.
        np.testing.assert_allclose(theirs, ours, atol=1e-3)


def test_cpu_is_numpy():
    assert array_module("cpu") is np


def test_unknown_device_is_refused():
    with pytest.raises(SimulationError, match=r"device: got 'tpu', accepted: .*'cpu', 'gpu'"):
        array_module("tpu")


def test_missing_cupy_is_named_before_any_work(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "cupy", None)  # importing it now fails, installed or not
    asked = TableSettings(device="gpu", **SETTINGS)
    with pytest.raises(SimulationError, match=r"device: got 'gpu' without CuPy .*accepted: cpu"):
        simulate_rocking_block(tmp_path / "no-such-folder", asked, **ONE, out_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()
