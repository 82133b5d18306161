"""The `scan` engine fills the same stack as the rocking table, on any scheduler, and refuses blocks of another one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import xarray
from distributed import LocalCluster

from pacbed.crystal.cell import Crystal
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.slicing import slice_potentials
from pacbed.errors import FormatError, SimulationError
from pacbed.patterns import Geometry, relative_l2
from pacbed.simulation.scan.crystal import ScanCrystal
from pacbed.simulation.scan.dask_tasks import compute_series
from pacbed.simulation.scan.sampling import ScanSampling
from pacbed.simulation.scan.series import ScanSeries
from pacbed.simulation.stack.assemble import assemble_stack
from pacbed.simulation.stack.parameter_grid import ParameterGrid, StackGrid
from pacbed.simulation.stack.scan_block import ScanNumerics, simulate_scan_block
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.settings import TableSettings

GRID = ParameterGrid(
    thickness_nm=[0.0, 2.2, 5.0],
    convergence_mrad=[8.5],
    mistilt_mrad=[3.0],
    azimuth_deg=[35.0, 130.0],
    azimuth_step_deg=18.0,
    pixels=40,
    max_angle_mrad=12.0,
)
SCAN = ScanNumerics(blocks=2, cells=7, samples_per_pixel=2.0, configurations=2, seed=5)
NO_CIF = "the file is read for vibrating atoms only"


@pytest.fixture(scope="module")
def polar(tmp_path_factory):
    """Slices and Fresnel table of a crystal without any symmetry."""
    cell = np.diag([4.1, 4.1, 3.9])
    fractional = np.array([[0.05, 0.1, 0.0], [0.55, 0.35, 0.5], [0.2, 0.75, 0.5]])
    displacement = np.array([np.diag([0.004, 0.008, 0.006])] * 3)
    crystal = Crystal(cell, ["Sr", "Ti", "O"], fractional @ cell, np.ones(3), displacement, "OSrTi", "polar")
    slices = slice_potentials(crystal, zone_axis=(0, 0, -1), energy_ev=200e3, grid=(24, 24), slices=2)
    folder = tmp_path_factory.mktemp("polar")
    (folder / "structure").mkdir()
    slices.save(folder / "structure")
    settings = TableSettings(
        thickness_max_nm=5.0, cone_mrad=12.5, field_mrad=21.0, direction_pitch_mrad=1.3, propagator="fresnel", batch=64
    )
    simulate_rocking_block(folder / "structure", settings, block=0, blocks=1, out_dir=folder / "block")
    gather_rocking_table([folder / "block"], folder / "rocking")
    return folder


@pytest.fixture(scope="module")
def blocks(polar):
    """Two blocks of the scan engine that together hold the grid."""
    folders = [polar / "scan" / str(block) for block in range(2)]
    for block, folder in enumerate(folders):
        simulate_scan_block(polar / "structure", polar / "rocking", NO_CIF, GRID, SCAN, block=block, out_dir=folder)
    return folders


def _stack(polar, folder, scan_dirs=()):
    split = {"validation_fraction": 0.3, "seed": 1}
    assemble_stack(polar / "rocking", GRID, **split, out_dir=folder, scan_dirs=scan_dirs)
    return xarray.open_zarr(folder / "stack.zarr")


@pytest.fixture(scope="module")
def stacks(polar, blocks):
    return _stack(polar, polar / "by_table"), _stack(polar, polar / "by_scan", blocks)


def test_every_series_equals_that_of_the_table(stacks):
    """Measured up to 9.9e-3 on 40 pixels, nearly all of it from reading pixels at the edges of disks."""
    by_table, by_scan = (stack.pattern.values.astype(float) for stack in stacks)
    for place in np.ndindex(by_table.shape[:3]):
        assert relative_l2(by_scan[place], by_table[place]) < 1.2e-2, place


@pytest.mark.parametrize("turn", [np.transpose, np.fliplr, np.flipud, lambda image: np.rot90(image, 2)])
def test_the_axes_are_those_of_the_table(stacks, turn):
    by_table, by_scan = (stack.pattern.values.astype(float)[0, 1, 2] for stack in stacks)
    assert relative_l2(turn(by_scan), by_table) > 0.02


def test_layout_labels_and_split_are_the_same_and_the_engine_is_named(stacks):
    by_table, by_scan = stacks
    assert by_scan.pattern.dims == by_table.pattern.dims
    assert by_scan.pattern.encoding["chunks"] == by_table.pattern.encoding["chunks"]
    for name in (*by_table.coords, "split"):
        np.testing.assert_array_equal(by_scan[name], by_table[name])
    assert by_table.attrs["engine"]["name"] == "plane_wave"
    assert by_scan.attrs["engine"]["name"] == "scan"
    assert by_scan.attrs["engine"]["supercell"] == [7, 7]
    assert {**by_scan.attrs, "engine": 0} == {**by_table.attrs, "engine": 0}


def test_a_missing_block_is_refused(polar, blocks, tmp_path):
    with pytest.raises(FormatError, match=r"got 1 series, accepted: all 2.*convergence 0, tilt 1"):
        _stack(polar, tmp_path / "stack", blocks[:1])
    with pytest.raises(FormatError, match="also in"):
        _stack(polar, tmp_path / "stack", [*blocks, blocks[0]])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("crystal", {"formula": "NaCl"}),
        ("grid", {}),
        ("engine", {"seed": 6}),
        ("schema_version", 2),
        ("slices_sha256", ""),
    ],
)
def test_a_foreign_block_is_refused(polar, blocks, tmp_path, key, value):
    shutil.copytree(blocks[1], tmp_path / "1")
    facts = json.loads((tmp_path / "1" / "block.json").read_text())
    (tmp_path / "1" / "block.json").write_text(json.dumps({**facts, key: value}))
    with pytest.raises(FormatError, match=f"got another {key}"):
        _stack(polar, tmp_path / "stack", [blocks[0], tmp_path / "1"])


@pytest.mark.parametrize("damage", ["truncated", "no facts", "no array", "another shape"])
def test_a_damaged_block_is_refused(polar, blocks, tmp_path, damage):
    shutil.copytree(blocks[1], tmp_path / "1")
    array, facts = tmp_path / "1" / "series_0_1.npy", tmp_path / "1" / "block.json"
    if damage == "truncated":
        array.write_bytes(array.read_bytes()[:-100])
    elif damage == "another shape":
        np.save(array, np.zeros((3, 3), dtype=np.float32))
    else:
        (facts if damage == "no facts" else array).unlink()
    with pytest.raises(FormatError, match="scan "):
        _stack(polar, tmp_path / "stack", [blocks[0], tmp_path / "1"])
    assert not (tmp_path / "stack").exists()


def test_a_block_of_another_crystal_does_not_start(polar, srtio3_slices, tmp_path):
    (tmp_path / "structure").mkdir()
    srtio3_slices.save(tmp_path / "structure")
    with pytest.raises(SimulationError, match="SrTiO3"):
        simulate_scan_block(
            tmp_path / "structure", polar / "rocking", NO_CIF, GRID, SCAN, block=0, out_dir=tmp_path / "0"
        )
    with pytest.raises(SimulationError, match="block: got 2, accepted: 0 to 1"):
        simulate_scan_block(polar / "structure", polar / "rocking", NO_CIF, GRID, SCAN, block=2, out_dir=tmp_path / "0")
    assert not (tmp_path / "0").exists()


def test_a_series_is_the_mean_over_slabs_with_equivalent_surfaces(polar):
    """Slabs that start at one and at the other of two slices, computed together and one by one."""
    slices = SlicePotentials.load(polar / "structure")
    slices = replace(slices, terminations=np.array([np.eye(2, dtype=int)] * 2), termination_lifts=np.array([0.0, 0.5]))
    slabs = ScanCrystal.slabs(slices, NO_CIF, termination="average")
    geometry = Geometry.field_of_view(24, 12.0)
    sampling = ScanSampling.of(slabs[0].still.lengths_a, 200e3, geometry, cells=3, samples_per_pixel=1.0)
    both = ScanSeries(slabs, sampling, geometry, (2.0,), 1, 6, 8.5, 1.0, (1.0, 2.0), 1, (1, 0, 0))
    together, first, second = _compute([both, *(replace(both, slabs=(slab,)) for slab in slabs)], "threads", 1)
    assert relative_l2(together, (first + second) / 2) < 1e-5
    assert relative_l2(first, second) > 1e-4


def test_displaced_atoms_start_at_the_same_surface_as_their_slices(srtio3_slices):
    """Atoms lifted by half a period belong to slices that are turned by half of them."""
    slices = replace(srtio3_slices, thermal_model="frozen_phonons")
    slices = replace(slices, terminations=np.array([np.eye(2, dtype=int)] * 2), termination_lifts=np.array([0.0, 0.5]))
    for slab in ScanCrystal.slabs(slices, "structures/srtio3.cif", termination="average"):
        period = next(slab.periods((1, 1), rng=np.random.default_rng(1)))
        still = np.angle(slab.still.transmission)
        for atoms, here, there in zip(period.array, still, still[::-1], strict=True):
            assert (
                np.corrcoef(atoms.ravel(), here.ravel())[0, 1] > np.corrcoef(atoms.ravel(), there.ravel())[0, 1] + 0.1
            )


# Frozen phonons


@pytest.fixture(scope="module")
def vibrating(srtio3_slices, tiny_table):
    """Two short series of SrTiO3 with frozen phonons."""
    slices = replace(srtio3_slices, thermal_model="frozen_phonons")
    crystal = ScanCrystal.load(slices, "structures/srtio3.cif")
    asked = replace(GRID, thickness_nm=[0.8, 1.4], convergence_mrad=[13.0], max_angle_mrad=20.0, pixels=24)
    grid = StackGrid.of(tiny_table, asked)
    sampling = ScanSampling.of(crystal.still.lengths_a, 200e3, grid.geometry, cells=2, samples_per_pixel=1.0)
    return [
        ScanSeries(
            (crystal,), sampling, grid.geometry, grid.thickness_nm, 1, 4, 13.0, grid.geometry.pixel_mrad,
            tuple(grid.tilt_mrad(tilt)), 2, (5, 0, tilt),
        )
        for tilt in range(2)
    ]  # fmt: skip


def _compute(series, scheduler, workers):
    return np.stack(list(compute_series(series, scheduler=scheduler, workers=workers)))


@pytest.fixture(scope="module")
def one_thread(vibrating):
    return _compute(vibrating, "threads", 1)


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_the_scheduler_makes_no_difference(vibrating, one_thread, scheduler):
    assert np.array_equal(_compute(vibrating, scheduler, 2), one_thread)


def test_a_scheduler_elsewhere_makes_no_difference(vibrating, one_thread):
    local = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    with LocalCluster(**local) as cluster:
        assert np.array_equal(_compute(vibrating, cluster.scheduler_address, 1), one_thread)


def test_a_worker_that_is_killed_makes_no_difference(vibrating, one_thread):
    """One of two, with a task in its hands, as by a node that is lost."""
    local = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(**local) as cluster, ThreadPoolExecutor(1) as pool:
        found = pool.submit(_compute, vibrating, cluster.scheduler_address, 1)
        while not (busy := [worker for worker in cluster.scheduler.workers.values() if worker.processing]):
            assert not found.done()
            time.sleep(0.01)
        killed = cluster.workers[busy[0].name].pid
        os.kill(killed, signal.SIGKILL)
        assert np.array_equal(found.result(), one_thread)
        assert killed not in {nanny.pid for nanny in cluster.workers.values()}  # another took its place


def test_a_scheduler_that_does_not_answer(vibrating, monkeypatch):
    monkeypatch.setattr("pacbed.schedulers.ANSWER_S", 1)
    with pytest.raises(SimulationError, match=r"scheduler: got 'tcp://127\.0\.0\.1:9', accepted: threads or processes"):
        _compute(vibrating, "tcp://127.0.0.1:9", 1)


def test_a_missing_package_is_named_with_its_extra(vibrating, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SimulationError, match=r"an installation with the extra \[cluster\].*distributed"):
        _compute(vibrating, "tcp://127.0.0.1:9", 1)


def test_phonons_come_from_the_seed_and_scatter_about_the_crystal(vibrating, one_thread, absorptive_slices):
    other = _compute([replace(vibrating[0], seed=(6, 0, 0))], "threads", 1)
    assert 3e-4 < relative_l2(other[0], one_thread[0]) < 0.02
    crystal = ScanCrystal.load(absorptive_slices, "structures/srtio3.cif")
    still = replace(vibrating[0], slabs=(crystal,), configurations=1)
    absorbing = _compute([still], "threads", 1)[0]
    assert 3e-4 < relative_l2(one_thread[0], absorbing) < 0.02
    # What the absorptive slices take out of the beam, phonons scatter to other places of the pattern.
    assert 1e-3 < one_thread[0, 1].sum() - absorbing[1].sum() < 5e-3
