"""Thickness planes lie as far apart as the crystal allows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pacbed.errors import FormatError
from pacbed.simulation.structure.spacing_search import LIMIT, measure_spacing
from pacbed.simulation.table.numerics import FILE, pitch_of, plane_layout, spacing_of

VIEW = {"thickness_max_nm": 20.0, "alpha_max_mrad": 10.0, "tau_max_mrad": 2.0, "max_angle_mrad": 15.0}


def test_a_heavier_crystal_needs_closer_planes(srtio3_slices):
    """Three times the potential makes intensities oscillate faster with thickness."""
    heavier = replace(srtio3_slices, potential=3 * srtio3_slices.potential)
    (wide, error), (close, closer_error) = (
        measure_spacing(slices, propagator="exact", tolerance=2e-3, **VIEW) for slices in (srtio3_slices, heavier)
    )
    period_nm = srtio3_slices.period_a / 10
    assert period_nm * 0.999 < close < wide
    for spacing, found in ((wide, error), (close, closer_error)):
        assert found <= LIMIT * 2e-3
        assert spacing / period_nm == pytest.approx(round(spacing / period_nm), rel=1e-5)
        # The distance found, taken as the limit, gives the same number of periods.
        assert plane_layout(srtio3_slices.period_a, 20.0, spacing)[0] == round(spacing / period_nm)
    stricter, _ = measure_spacing(srtio3_slices, propagator="exact", tolerance=1e-7, **VIEW)
    assert stricter == pytest.approx(period_nm, rel=1e-5)


def test_planes_reach_the_largest_thickness_with_one_to_spare():
    assert plane_layout(4.0, 10.0, 1.0) == (2, 14)
    assert plane_layout(4.0, 10.0, 0.1) == (1, 26)
    assert plane_layout(25.0, 10.0, 1.0) == (1, 5)


def test_given_or_measured(tmp_path):
    assert spacing_of(tmp_path, 0.7) == 0.7
    with pytest.raises(FormatError, match=r"numerics\.json: damaged or missing"):
        spacing_of(tmp_path, "auto")
    (tmp_path / FILE).write_text(json.dumps({"direction_pitch_mrad": 0.3, "plane_spacing_nm": 1.2}))
    assert (pitch_of(tmp_path, "auto"), spacing_of(tmp_path, "auto")) == (0.3, 1.2)
