"""A scan of the smallest raster, in chunks on threads, and the geometry of its samples."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.simulation.scan.direct_pattern import SampledGeometry, direct_pattern
from pacbed.simulation.scan.probes import ScanPattern, ScanProbe, scan_pacbed
from pacbed.simulation.scan.raster import positions_needed, rectangular_raster, smallest_raster
from pacbed.simulation.scan.supercell import orthogonal_slices

from .small_crystal import ALPHA_MRAD, ENERGY_EV, slices

PROBE = ScanProbe(ENERGY_EV, ALPHA_MRAD, mistilt_mrad=(2.0, -1.0))


def _direct(threads, probe=PROBE):
    crystal = slices()
    return direct_pattern(
        crystal, orthogonal_slices(crystal), probe, cells=(3, 3), periods=4, max_angle_mrad=18.0, threads=threads
    )


def test_the_smallest_raster_gives_the_pattern_of_ordinary_rows():
    pattern, positions = _direct(1)
    cell = orthogonal_slices(slices())
    counts = positions_needed(ALPHA_MRAD, cell.lengths_a, ENERGY_EV)
    rows = scan_pacbed(
        cell.periods((3, 3)), PROBE, rectangular_raster(cell.lengths_a, counts),
        thickness_periods=[4], max_angle_mrad=18.0, band_limit=cell.band_limit,
    )[0]  # fmt: skip
    assert positions <= np.prod(counts)
    assert np.linalg.norm(pattern.intensity - rows.intensity) < 1e-5 * np.linalg.norm(rows.intensity)


def test_threads_share_the_raster_and_change_nothing():
    """Chunks of unequal length weigh as many positions as they have."""
    (alone, positions), (shared, same) = _direct(1), _direct(3)
    assert positions == same > 3
    assert positions % 3
    np.testing.assert_allclose(shared.intensity, alone.intensity, rtol=1e-4, atol=1e-9)


def test_a_soft_edge_needs_the_positions_of_its_outer_rim():
    soft = ScanProbe(ENERGY_EV, ALPHA_MRAD, edge_mrad=8.0)
    _, positions = _direct(2, soft)
    assert positions == len(smallest_raster(slices().cell_a, ALPHA_MRAD + 4.0, ENERGY_EV))
    assert positions > _direct(2)[1]


def test_samples_need_not_be_square():
    scan = ScanPattern(np.zeros((3, 5)), np.arange(-2, 3) * 0.5, np.arange(-1, 2) * 2.0, 1.0)
    geometry = SampledGeometry.of(scan)
    kx, ky = geometry.angles_mrad()
    assert kx.shape == ky.shape == (3, 5)
    assert kx[0].tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert ky[:, 0].tolist() == [-2.0, 0.0, 2.0]
    assert geometry.pixel_mrad == pytest.approx(1.0)
