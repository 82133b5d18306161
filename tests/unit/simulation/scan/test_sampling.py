"""Interleaved scans sample the diffraction plane as one of a larger supercell does; pixels are read from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.electron import wavelength_a
from pacbed.patterns import Geometry
from pacbed.simulation.scan.sampling import MARGIN_SAMPLES, ScanSampling, read_pixels

ENERGY_EV = 200e3
GEOMETRY = Geometry.field_of_view(40, 12.0)
LENGTHS_A = (4.1, 7.2)


def _of(cells, samples_per_pixel=2.0, lengths_a=LENGTHS_A, geometry=GEOMETRY):
    return ScanSampling.of(lengths_a, ENERGY_EV, geometry, cells=cells, samples_per_pixel=samples_per_pixel)


@pytest.mark.parametrize("cells", [1, 2, 5, 7, 30, "auto"])
@pytest.mark.parametrize("samples_per_pixel", [1.0, 2.0, 3.3])
def test_there_are_samples_enough_and_no_scan_too_many(cells, samples_per_pixel):
    sampling = _of(cells, samples_per_pixel)
    per_pixel = [GEOMETRY.pixel_mrad / pitch for pitch in sampling.pitch_mrad]
    assert min(per_pixel) >= samples_per_pixel * (1 - 1e-9)
    for edge, count, scans, density in zip(LENGTHS_A, sampling.cells, sampling.interleaved, per_pixel, strict=True):
        first_mrad = 1e3 * wavelength_a(ENERGY_EV) / edge
        assert density * first_mrad / GEOMETRY.pixel_mrad == pytest.approx(count * scans)
        # One scan fewer would not do.
        assert scans == 1 or count * (scans - 1) * GEOMETRY.pixel_mrad / first_mrad < samples_per_pixel


def test_an_automatic_supercell_needs_the_fewest_scans():
    sampling = _of("auto", 1.0)
    assert max(sampling.cells) <= 12
    assert sampling.interleaved == (1, 1)
    finer = _of("auto", 8.0)
    assert max(finer.cells) <= 12
    assert min(finer.interleaved) > 1


def test_cells_count_along_the_shorter_edge():
    """An edge of twice the length gets half as many cells: supercells are about square."""
    assert _of(8, lengths_a=(4.0, 8.0)).cells == (8, 4)
    assert _of(8, lengths_a=(8.0, 4.0)).cells == (4, 8)
    assert _of(1, lengths_a=(4.0, 40.0)).cells == (1, 1)


def test_samples_reach_beyond_the_outermost_pixels():
    for cells in (2, 7, "auto"):
        sampling = _of(cells)
        outermost = GEOMETRY.pixel_mrad * 19.5
        for axis, pitch in zip(sampling.axes_mrad, sampling.pitch_mrad, strict=True):
            np.testing.assert_allclose(np.diff(axis), pitch)
            assert np.abs(axis).min() == pytest.approx(0.0, abs=1e-9)  # the optic axis is a sample
            assert axis[0] < -outermost - (MARGIN_SAMPLES - 1) * pitch
            assert axis[-1] > outermost + (MARGIN_SAMPLES - 1) * pitch


def test_joined_scans_are_the_samples_in_order():
    """Each scan holds its own angles; put together they are the axes of all scans."""
    sampling = _of(2, 3.0)
    assert min(sampling.interleaved) > 1
    windows = []
    for offset in sampling.offsets:
        x, y = sampling.offset_mrad(offset)
        kx = np.arange(-sampling.reach[0], sampling.reach[0] + 1) * sampling.pitch_mrad[0] * sampling.interleaved[0] + x
        ky = np.arange(-sampling.reach[1], sampling.reach[1] + 1) * sampling.pitch_mrad[1] * sampling.interleaved[1] + y
        windows.append(1000 * ky[:, None] + kx[None])
    kx, ky = sampling.axes_mrad
    np.testing.assert_allclose(sampling.join(windows), 1000 * ky[:, None] + kx[None], atol=1e-6)
    stacked = [np.stack([window, -window]) for window in windows]  # planes before the samples
    np.testing.assert_array_equal(sampling.join(stacked)[1], -sampling.join(windows))


def test_offsets_stay_within_half_a_sample_of_one_scan():
    sampling = _of(2, 4.0)
    offsets = np.array([sampling.offset_mrad(offset) for offset in sampling.offsets])
    half = np.array(sampling.pitch_mrad) * sampling.interleaved / 2
    assert np.all(np.abs(offsets) <= half + 1e-9)
    assert len(np.unique(np.round(offsets, 9), axis=0)) == len(offsets)


def test_the_window_is_the_middle_of_a_pattern():
    sampling = replace(_of(3), reach=(2, 1))
    pattern = np.arange(7 * 9).reshape(7, 9)
    np.testing.assert_array_equal(sampling.window(pattern), pattern[2:5, 2:7])
    assert sampling.window_mrad >= max(
        reach * count * pitch
        for reach, count, pitch in zip(sampling.reach, sampling.interleaved, sampling.pitch_mrad, strict=True)
    )


# Reading pixels


def test_pixels_are_the_density_at_their_centres_times_their_area():
    """A cubic polynomial is read without error, on samples of another pitch along each axis."""
    kx, ky = np.arange(-30, 31) * 0.5, np.arange(-21, 22) * 0.8

    def density(x, y):
        return 5.0 + 0.1 * x - 0.2 * y + 0.01 * x * y + 1e-3 * x**3 - 2e-3 * y**2 * x

    planes = np.stack([density(kx[None], ky[:, None]), 2 * density(kx[None], ky[:, None])])
    images = read_pixels(planes, (kx, ky), GEOMETRY)
    x, y = GEOMETRY.angles_mrad()
    np.testing.assert_allclose(images[0], density(x, y) * GEOMETRY.pixel_mrad**2, rtol=1e-5)
    np.testing.assert_allclose(images[1], 2 * images[0], rtol=1e-5)


def test_a_smooth_disk_keeps_its_beam():
    axis = np.arange(-60, 61) * 0.25
    lit = np.clip((8.0 + 0.6 - np.hypot(axis[None], axis[:, None])) / 1.2, 0, 1)
    image = read_pixels(lit[None] / (lit.sum() * 0.25**2), (axis, axis), GEOMETRY)[0]
    assert image.sum() == pytest.approx(1.0, rel=2e-3)
    assert image.min() == 0.0
    np.testing.assert_allclose(image, image.T, atol=1e-7)
