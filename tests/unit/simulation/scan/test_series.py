"""Thickness series: cut into tasks, and put together to the images of a scan in one piece."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.errors import SimulationError
from pacbed.patterns import Geometry, relative_l2
from pacbed.simulation.scan import series as series_module
from pacbed.simulation.scan.crystal import ScanCrystal, rectangular_atoms
from pacbed.simulation.scan.dask_tasks import compute_series
from pacbed.simulation.scan.probes import ScanProbe, scan_pacbed
from pacbed.simulation.scan.raster import positions_needed, rectangular_raster
from pacbed.simulation.scan.sampling import ScanSampling, read_pixels
from pacbed.simulation.scan.series import ScanSeries

from .small_crystal import ALPHA_MRAD, CELL, ENERGY_EV, crystal, slices

GEOMETRY = Geometry.field_of_view(20, 12.0)
TILT_MRAD = (2.0, -1.0)
NO_CIF = "the file is read for vibrating atoms only"


@pytest.fixture(scope="module")
def still():
    return ScanCrystal.load(slices(), NO_CIF)


@pytest.fixture(scope="module")
def series(still):
    """Thicknesses on the planes, of two periods each; four interleaved scans of a small supercell."""
    sampling = ScanSampling.of(still.still.lengths_a, ENERGY_EV, GEOMETRY, cells=3, samples_per_pixel=1.0)
    assert sampling.interleaved == (2, 2)
    thickness_nm = (0.0, 0.78, 1.56)
    return ScanSeries(
        (still,), sampling, GEOMETRY, thickness_nm, 2, 4, ALPHA_MRAD, GEOMETRY.pixel_mrad, TILT_MRAD, 1, (5, 0, 0)
    )


@pytest.fixture(scope="module")
def images(series):
    return series.images([series.run(task) for task in series.tasks()])


def test_a_series_is_the_scan_of_one_large_supercell(series, still, images):
    """The same samples from one scan of a supercell twice as wide, with ordinary rows, read by the same splines."""
    pattern = scan_pacbed(
        still.still.periods(tuple(2 * count for count in series.sampling.cells)),
        ScanProbe(ENERGY_EV, ALPHA_MRAD, GEOMETRY.pixel_mrad, TILT_MRAD),
        rectangular_raster(still.still.lengths_a, positions_needed(ALPHA_MRAD + 0.6, still.still.lengths_a, ENERGY_EV)),
        thickness_periods=[2, 4],
        max_angle_mrad=series.sampling.window_mrad,
        band_limit=still.still.band_limit,
    )
    for image, whole in zip(images[1:], pattern, strict=True):
        direct = read_pixels(whole.density[None], (whole.kx_mrad, whole.ky_mrad), GEOMETRY)[0]
        assert relative_l2(image, direct) < 5e-5
        assert relative_l2(image[::-1], direct) > 2e-4
        assert relative_l2(image.T, direct) > 0.02


def test_the_entrance_surface_is_the_probe(images):
    kx, ky = GEOMETRY.angles_mrad()
    inside = np.hypot(kx, ky) < ALPHA_MRAD - GEOMETRY.pixel_mrad
    np.testing.assert_allclose(images[0][inside], GEOMETRY.pixel_mrad**2 / (np.pi * ALPHA_MRAD**2), rtol=0.05)
    assert images[0].sum() == pytest.approx(1.0, abs=0.02)
    assert images.min() >= 0.0


def test_thicknesses_between_planes_are_interpolated(series, images):
    """A thickness that is a plane of one layout lies between the planes of another."""
    asked = replace(series, thickness_nm=(0.78,))
    finer = replace(asked, periods_per_plane=1, planes=6)
    between = replace(asked, periods_per_plane=3, planes=4)
    on_plane, interpolated = (one.images([one.run(task) for task in one.tasks()])[0] for one in (finer, between))
    assert relative_l2(on_plane, images[1]) < 1e-5
    assert 0 < relative_l2(interpolated, images[1]) < 5e-3


def test_tasks_cover_every_position_of_every_scan_once(series, monkeypatch):
    """Also where memory allows few probes at a time, and the images are the same."""
    whole = series.images([series.run(task) for task in series.tasks()])
    pixels = np.prod(series.crystal.still.transmission.shape[1:]) * np.prod(series.sampling.cells)
    monkeypatch.setattr(series_module, "BYTES_PER_TASK", 8 * 5 * pixels)  # five probes
    tasks = series.tasks()
    count = len(series.raster)
    assert len(tasks) == len(series.sampling.offsets) * -(-count // 5)
    for offset in range(len(series.sampling.offsets)):
        chunks = [task.positions for task in tasks if task.offset == offset]
        assert [position for chunk in chunks for position in range(*chunk)] == list(range(count))
    np.testing.assert_allclose(series.images([series.run(task) for task in tasks]), whole, rtol=1e-3, atol=1e-7)


def test_schedulers_compute_series_in_order(series):
    short = [replace(series, thickness_nm=(0.78,), planes=1, mistilt_mrad=tilt) for tilt in ((0.0, 0.0), (3.0, 0.0))]
    computed = list(compute_series(short, scheduler="threads", workers=2))
    for one, image in zip(short, computed, strict=True):
        np.testing.assert_array_equal(image, one.images([one.run(task) for task in one.tasks()]))
    assert not np.allclose(computed[0], computed[1], rtol=1e-2)
    assert list(compute_series([], scheduler="threads", workers=2)) == []


# The crystal


def test_atoms_of_an_oblique_cell_fill_the_rectangle_once():
    """Every atom of the rectangle is one of the crystal, by its neighbours: the same distances to all of one kind."""
    cell = np.array([[4.2, 0, 0], [-2.1, 2.1 * np.sqrt(3), 0], [0, 0, 3.9]])
    oriented = replace(crystal(cell), displacement=np.arange(27.0).reshape(3, 3, 3), occupancy=np.array([1.0, 0.5, 1]))
    atoms, displacement, occupancy = rectangular_atoms(oriented)
    assert np.allclose(np.diag(atoms.cell), [4.2, 4.2 * np.sqrt(3), 3.9])
    assert len(atoms) == 6
    for index in range(6):
        offsets = (atoms.positions[index] - oriented.positions[index % 3]) @ np.linalg.inv(cell)
        np.testing.assert_allclose(offsets, np.round(offsets), atol=1e-6)
        np.testing.assert_array_equal(displacement[index], oriented.displacement[index % 3])
        assert occupancy[index] == oriented.occupancy[index % 3]
    assert atoms.get_all_distances(mic=True)[np.triu_indices(6, 1)].min() > 1.0


def test_still_crystals_do_not_read_the_file_and_vibrating_ones_must_find_their_own(srtio3_slices):
    assert not ScanCrystal.load(slices(), NO_CIF).vibrates
    vibrating = ScanCrystal.load(replace(srtio3_slices, thermal_model="frozen_phonons"), srtio3_slices.source)
    assert vibrating.vibrates
    foreign = replace(slices(), thermal_model="frozen_phonons", zone_axis=(0, 0, 1))
    with pytest.raises(SimulationError, match=r"cif: got .* accepted: the crystal of the slice potentials"):
        ScanCrystal.load(foreign, srtio3_slices.source)


def test_slabs_with_equivalent_surfaces_start_at_other_slices():
    lifted = replace(
        slices(), terminations=np.array([np.eye(2, dtype=int)] * 2), termination_lifts=np.array([0.0, 0.5])
    )
    one, (first, second) = (ScanCrystal.slabs(lifted, NO_CIF, termination=name) for name in ("top", "average"))
    assert len(one) == 1
    np.testing.assert_array_equal(first.still.transmission, one[0].still.transmission)
    np.testing.assert_array_equal(second.still.transmission, one[0].still.transmission[::-1])
    assert np.allclose(first.cell_a, CELL[:2, :2])
