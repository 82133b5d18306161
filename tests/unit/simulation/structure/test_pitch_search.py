"""Directions lie as far apart as the spline between them allows."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import SimulationError
from pacbed.simulation.structure import pitch_search
from pacbed.simulation.structure.pitch_search import LIMIT, measure_pitch
from pacbed.simulation.table.directions import direction_grid

VIEW = {"thickness_max_nm": 20.0, "alpha_max_mrad": 10.0, "tau_max_mrad": 2.0, "max_angle_mrad": 15.0}


def _steps(slices, pitch_mrad):
    grid = direction_grid(slices, cone_mrad=10.0, pitch_mrad=pitch_mrad)
    return float(np.linalg.norm(grid.pitch_mrad, axis=1).max())


def test_the_pitch_is_good_enough_and_no_finer_than_it_need_be(srtio3_slices):
    found = {
        tolerance: measure_pitch(srtio3_slices, propagator="exact", tolerance=tolerance, **VIEW)
        for tolerance in (1e-3, 1e-4)
    }
    for tolerance, (pitch, error) in found.items():
        assert 0.1 * tolerance < error <= LIMIT * tolerance
        assert _steps(srtio3_slices, pitch) == pytest.approx(pitch, rel=1e-5)  # it gives the same directions again
    # A ten times smaller error of an order of five to eight needs 1.3 to 1.6 times finer steps; there are whole ones.
    assert 1.2 < found[1e-3][0] / found[1e-4][0] < 2.2


def test_a_search_that_does_not_end_says_so(srtio3_slices, monkeypatch):
    monkeypatch.setattr(pitch_search, "ROUNDS", 1)
    with pytest.raises(SimulationError, match="direction_pitch_mrad: auto ended at"):
        measure_pitch(srtio3_slices, propagator="exact", tolerance=1e-7, **VIEW)
