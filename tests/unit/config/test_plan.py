"""Angles and depths that follow from a grid, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig


def system(*, grid: dict[str, Any] | None = None, simulation: dict[str, Any] | None = None) -> SystemConfig:
    axes = {"thickness_nm": [5, 80], "convergence_mrad": [10, 20], "mistilt_mrad": [0, 4]}
    return SystemConfig.model_validate(
        {
            "crystal": {"cif": "a.cif", "zone_axis": [0, 0, 1]},
            "beam": {"energy_kev": 200},
            "grid": axes | (grid or {}),
            "simulation": simulation or {},
        }
    )


def test_the_plan_of_a_grid() -> None:
    found = plan(system())
    assert (found.thickness_max_nm, found.alpha_max_mrad, found.tau_max_mrad) == (80, 20, 4)
    assert found.max_angle_mrad == 30  # 1.5 times the largest convergence angle
    assert found.field_mrad == pytest.approx(2**0.5 * 30 + 4)
    assert found.cone_mrad == 20 + 4 + 2


def test_a_field_of_view_that_is_asked_for_is_taken() -> None:
    found = plan(system(simulation={"max_angle_mrad": 25}))
    assert found.max_angle_mrad == 25
    assert found.field_mrad == pytest.approx(2**0.5 * 25 + 4)
    assert found.cone_mrad == plan(system()).cone_mrad


@pytest.mark.parametrize(
    ("grid", "grown"),
    [
        ({"thickness_nm": [5, 90]}, {"thickness_max_nm"}),
        ({"convergence_mrad": [10, 21]}, {"alpha_max_mrad", "max_angle_mrad", "field_mrad", "cone_mrad"}),
        ({"mistilt_mrad": [0, 5]}, {"tau_max_mrad", "field_mrad", "cone_mrad"}),
        ({"azimuth_deg": [0, 90]}, set()),
        ({"thickness_nm": {"start": 5, "stop": 80, "step": 5}}, set()),
    ],
)
def test_each_axis_moves_what_depends_on_it_and_nothing_else(grid: dict[str, Any], grown: set[str]) -> None:
    before, after = vars(plan(system())), vars(plan(system(grid=grid)))
    assert {name for name in before if after[name] > before[name]} == grown
    assert {name for name in before if after[name] != before[name]} == grown


def test_every_direction_of_a_tilted_disk_and_its_corner_are_covered() -> None:
    """Whatever the azimuth of the mistilt."""
    from math import cos, hypot, radians, sin

    found = plan(system())
    for azimuth in range(0, 360, 15):
        tilt = found.tau_max_mrad * cos(radians(azimuth)), found.tau_max_mrad * sin(radians(azimuth))
        assert hypot(tilt[0] + found.alpha_max_mrad * cos(radians(azimuth)), tilt[1]) <= found.cone_mrad
        corner = found.max_angle_mrad + tilt[0], found.max_angle_mrad + tilt[1]
        assert hypot(*corner) <= found.field_mrad + 1e-9
