"""The gap between propagators against a plain sum at single samples."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.simulation.checks.propagator_gap import propagator_gap
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine
from pacbed.simulation.scan.probes import ScanPattern

ALPHA, TILT, PERIODS = 7.0, (2.0, -1.0), 20


def test_gap_is_the_difference_of_plain_sums(srtio3_slices):
    unit = mrad_per_inverse_a(srtio3_slices.energy_ev)
    step = srtio3_slices.reciprocal[0, 0] * unit / 2  # samples of a supercell of two cells
    axis = np.arange(-8, 9) * step
    scan = ScanPattern(np.zeros((17, 17)), axis, axis, ALPHA)
    gap = propagator_gap(srtio3_slices, scan, periods=PERIODS, mistilt_mrad=TILT)
    engines = [PlaneWaveEngine(srtio3_slices, propagator=name) for name in ("fresnel", "exact")]
    for row, column in ((8, 8), (9, 4), (13, 10)):
        k, sums = np.array([axis[column], axis[row]]), np.zeros(2)
        for h in range(-3, 4):
            for j in range(-3, 4):
                incident = k - 2 * step * np.array([h, j])
                if np.linalg.norm(incident) <= ALPHA:
                    q = (incident + TILT)[None] / unit
                    sums += [
                        engine.run(q, beams=np.array([[h, j]]), planes=1, periods_per_plane=PERIODS).intensity[1, 0, 0]
                        for engine in engines
                    ]
        assert gap[row, column] == pytest.approx((sums[0] - sums[1]) / (np.pi * ALPHA**2), abs=2e-9)
    assert np.abs(gap).max() > 1e-8
