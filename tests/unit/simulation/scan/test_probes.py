"""A scan's patterns against a textbook probe, and what they must not depend on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.crystal.electron import wavelength_a
from pacbed.simulation.scan.probes import ScanPattern, ScanProbe, scan_pacbed
from pacbed.simulation.scan.raster import positions_needed
from pacbed.simulation.scan.supercell import orthogonal_slices

from .small_crystal import ALPHA_MRAD, ENERGY_EV, scan, slices


def _textbook(cell, cells, positions, periods, mistilt_mrad):
    """Multislice of one focused probe after the other by plain FFTs; fraction of the beam, shape (ky, kx), full grid.

    E. J. Kirkland, Advanced Computing in Electron Microscopy (2010), ch. 6 and 7: aperture, transmission function,
    Fresnel propagator; a mistilt tau adds 2 k.tau / lambda to |k|^2.
    """
    wavelength = wavelength_a(cell.energy_ev)
    transmission = np.tile(cell.transmission.astype(complex), (1, *cells))
    grid = transmission.shape[1:]
    kx, ky = np.meshgrid(
        *(np.fft.fftfreq(n, length * count / n) for n, length, count in zip(grid, cell.lengths_a, cells, strict=True)),
        indexing="ij",
    )
    aperture = np.hypot(kx, ky) * wavelength * 1e3 <= ALPHA_MRAD
    tilt = np.array(mistilt_mrad) * 1e-3
    phase = wavelength * (kx**2 + ky**2) + 2 * (kx * tilt[0] + ky * tilt[1])
    propagator = np.exp(-1j * np.pi * cell.slice_depth_a * phase) * (np.hypot(kx, ky) < cell.band_limit)
    total = np.zeros(grid)
    for x, y in positions:
        wave = aperture * np.exp(-2j * np.pi * (kx * x + ky * y)) / np.sqrt(aperture.sum())
        for level in list(range(len(transmission))) * periods:
            wave = np.fft.fft2(np.fft.ifft2(wave) * transmission[level]) * propagator
        total += np.abs(wave) ** 2
    return np.fft.fftshift(total).T / len(positions)


@pytest.mark.parametrize("mistilt_mrad", [(0.0, 0.0), (3.0, -1.7)])
def test_patterns_are_those_of_a_textbook_probe(mistilt_mrad):
    """One position alone and the mean of three: the crystal and the positions have no symmetry."""
    cell = orthogonal_slices(slices())
    positions = np.array([[0.3, 1.1], [2.2, 0.4], [3.1, 4.4]])
    for some in (positions[:1], positions):
        pattern = scan_pacbed(
            cell.periods((3, 2)), ScanProbe(ENERGY_EV, ALPHA_MRAD, mistilt_mrad=mistilt_mrad), some,
            thickness_periods=[6], max_angle_mrad=40.0, band_limit=cell.band_limit,
        )[0]  # fmt: skip
        expected = _textbook(cell, (3, 2), some, 6, mistilt_mrad)
        row, column = (size // 2 for size in expected.shape)
        y, x = (size // 2 for size in pattern.intensity.shape)
        cut = expected[row - y : row - y + 2 * y + 1, column - x : column - x + 2 * x + 1]
        assert np.linalg.norm(pattern.intensity - cut) < 1e-4 * np.linalg.norm(cut)
        assert np.linalg.norm(pattern.intensity[::-1] - cut) > 1e-2 * np.linalg.norm(cut)


def test_angles_are_those_of_the_supercell():
    cell = orthogonal_slices(slices())
    pattern = scan(cell.periods((3, 2)))[0]
    pitch_mrad = [1e3 * wavelength_a(ENERGY_EV) / (length * n) for length, n in zip((4.1, 4.9), (3, 2), strict=True)]
    for axis, pitch in zip((pattern.kx_mrad, pattern.ky_mrad), pitch_mrad, strict=True):
        np.testing.assert_allclose(np.diff(axis), pitch, rtol=1e-5)
        assert axis[len(axis) // 2] == pytest.approx(0.0, abs=1e-9)
        assert axis[-1] == pytest.approx(20.0, abs=pitch)
    assert pattern.intensity.shape == (len(pattern.ky_mrad), len(pattern.kx_mrad))


def test_the_entrance_surface_is_the_aperture():
    cell = orthogonal_slices(slices())
    entrance, later = scan(cell.periods((4, 4)), depths=(0, 4), edge_mrad=3.0)
    angle = np.hypot(entrance.kx_mrad[None], entrance.ky_mrad[:, None])
    np.testing.assert_allclose(entrance.density[angle < ALPHA_MRAD - 1.6], 1 / (np.pi * ALPHA_MRAD**2), rtol=1e-4)
    assert entrance.density[angle > ALPHA_MRAD + 1.6].max() < 1e-9
    ramp = np.abs(angle - ALPHA_MRAD) < 1.4
    expected = (ALPHA_MRAD + 1.5 - angle[ramp]) / 3.0 / (np.pi * ALPHA_MRAD**2)
    np.testing.assert_allclose(entrance.density[ramp], expected, rtol=1e-3)
    assert np.abs(later.density - entrance.density).max() > 0.02 * entrance.density.max()


def test_a_finer_raster_changes_nothing_and_a_coarser_one_does():
    cell = orthogonal_slices(slices())
    enough = positions_needed(ALPHA_MRAD, cell.lengths_a, ENERGY_EV)
    exact = scan(cell.periods((3, 3)), counts=enough)[0].intensity
    finer = scan(cell.periods((3, 3)), counts=(enough[0] + 2, enough[1] + 1))[0].intensity
    coarse = scan(cell.periods((3, 3)), counts=(enough[0] - 2, enough[1] - 2))[0].intensity
    assert np.linalg.norm(finer - exact) < 1e-5 * np.linalg.norm(exact)
    assert np.linalg.norm(coarse - exact) > 1e-2 * np.linalg.norm(exact)


def test_nothing_but_a_disk_without_a_crystal():
    filled = slices()
    empty = replace(filled, potential=0 * filled.potential, absorption=0 * filled.absorption)
    pattern = scan(orthogonal_slices(empty).periods((4, 4)))[0]
    inside = np.hypot(pattern.kx_mrad[None], pattern.ky_mrad[:, None]) <= ALPHA_MRAD
    assert np.allclose(pattern.intensity[inside], 1 / inside.sum(), rtol=1e-4)
    assert pattern.intensity[~inside].max() < 1e-9
    assert np.allclose(pattern.density[inside], 1 / (np.pi * ALPHA_MRAD**2), rtol=1e-4)


def test_several_thicknesses_in_one_run():
    cell = orthogonal_slices(slices())
    both = scan(cell.periods((2, 2)), depths=(2, 5))
    assert np.array_equal(both[1].intensity, scan(cell.periods((2, 2)), depths=(5,))[0].intensity)
    assert not np.allclose(both[0].intensity, both[1].intensity, rtol=1e-2)


def test_offset_samples_the_angles_in_between():
    """Two scans of a small supercell, one with an offset of half a sample, sample what one of twice the width does."""
    cell = orthogonal_slices(slices())
    wide = scan(cell.periods((4, 2)))[0]
    step = float(wide.kx_mrad[1] - wide.kx_mrad[0])
    narrow = scan(cell.periods((2, 2)), offset_mrad=(step, 0.0))[0]
    columns = [int(np.argmin(np.abs(wide.kx_mrad - k))) for k in narrow.kx_mrad if abs(k) < 20]
    assert np.allclose(wide.kx_mrad[columns], narrow.kx_mrad[np.abs(narrow.kx_mrad) < 20], atol=1e-5)
    shared = narrow.density[:, np.abs(narrow.kx_mrad) < 20]
    assert np.linalg.norm(wide.density[:, columns] - shared) < 1e-3 * np.linalg.norm(shared)


def test_absorption_takes_what_it_says():
    """A constant mu takes exp(-2 mu) of the intensity per slice and changes nothing else."""
    transparent = slices()
    absorbing = replace(transparent, absorption=np.full_like(transparent.absorption, 0.01))
    clear = scan(orthogonal_slices(transparent).periods((2, 2)))[0].intensity
    dim = scan(orthogonal_slices(absorbing).periods((2, 2)))[0].intensity
    assert np.allclose(dim, clear * np.exp(-2 * 0.01 * 6), rtol=1e-4, atol=1e-9)


def test_reproducible_scans_are_equal_to_the_last_bit():
    cell = orthogonal_slices(slices())
    first, second = (scan(cell.periods((2, 2)), reproducible=True)[0].intensity for _ in range(2))
    assert np.array_equal(first, second)
    quick = scan(cell.periods((2, 2)))[0].intensity
    np.testing.assert_allclose(quick, first, rtol=1e-3, atol=1e-8)


def test_the_density_does_not_depend_on_how_many_samples_the_grid_has_in_the_disk():
    """abTEM spreads the beam over the samples inside; the density is that of a disk of the true area."""
    axis = np.arange(-3, 4) * 4.0
    inside = np.hypot(axis[None], axis[:, None]) <= 9.0
    pattern = ScanPattern(inside / inside.sum(), axis, axis, 9.0)
    np.testing.assert_allclose(pattern.density[inside], 1 / (np.pi * 81.0))
