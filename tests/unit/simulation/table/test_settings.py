"""Distances of directions and planes: given, measured, and what follows for the planes."""

from __future__ import annotations

import pytest

from pacbed.errors import FormatError
from pacbed.simulation.table.settings import NUMERICS_FILE, pitch_of, plane_layout, spacing_of


@pytest.mark.parametrize(("period_a", "thickness_nm", "spacing_nm"), [
    (3.905, 100.0, 1.0), (4.0, 10.0, 0.8), (4.0, 10.0, 0.79), (25.0, 10.0, 1.0), (4.6, 0.1, 2.0),
])  # fmt: skip
def test_planes_lie_at_whole_periods_within_the_distance(period_a, thickness_nm, spacing_nm):
    layout = plane_layout(period_a, thickness_nm, spacing_nm)
    distance_nm = layout.periods_per_plane * period_a / 10
    assert distance_nm <= spacing_nm + 1e-6 or layout.periods_per_plane == 1
    assert (layout.periods_per_plane + 1) * period_a / 10 > spacing_nm
    assert (layout.planes - 1) * distance_nm >= thickness_nm - 1e-6
    assert (layout.planes - 2) * distance_nm < thickness_nm


def test_whole_periods_are_not_lost_to_rounding():
    assert plane_layout(3.905, 3.905, 0.3905) == (1, 11)
    assert plane_layout(3.905, 3.905, 3 * 0.3905) == (3, 5)


def test_what_is_asked_for_is_taken_and_auto_is_what_was_measured(tmp_path):
    assert pitch_of(tmp_path, 0.7) == 0.7
    assert spacing_of(tmp_path, 1) == 1.0
    (tmp_path / NUMERICS_FILE).write_text('{"direction_pitch_mrad": 0.31, "plane_spacing_nm": 1.2}')
    assert pitch_of(tmp_path, "auto") == 0.31
    assert spacing_of(tmp_path, "auto") == 1.2


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"plane_spacing_nm": null}', '{"plane_spacing_nm": "x"}'])
def test_nothing_measured_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / NUMERICS_FILE).write_text(content)
    with pytest.raises(FormatError, match=r"numerics\.json: damaged or missing .*accepted: what orient_structure"):
        spacing_of(tmp_path, "auto")
