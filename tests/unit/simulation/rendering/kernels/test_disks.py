"""Runs of a disk: every node of it once, by the representative that symmetry leads to."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.simulation.rendering.kernels.disks import direction_table, disk_runs, run_ends
from pacbed.simulation.table.wedge import Wedge

PITCH = np.array([[0.5, 0.0], [0.0, 0.5]])
SIGNS = [(a, b) for a in (1, -1) for b in (1, -1)]
GROUPS = {
    "1": np.eye(2, dtype=int)[None],
    "2mm": np.array([np.diag(signs) for signs in SIGNS]),
    "4mm": np.array([np.diag(signs) for signs in SIGNS] + [np.diag(signs)[::-1] for signs in SIGNS]),
}


def test_ends_of_runs():
    operation = np.array([[0, 0, 1, 1, 1], [2, 2, 2, 2, 2], [0, 1, 0, 1, 0]], dtype=np.int8)
    np.testing.assert_array_equal(run_ends(operation), [[2, 2, 5, 5, 5], [5] * 5, [1, 2, 3, 4, 5]])


@pytest.mark.parametrize("operations", GROUPS.values(), ids=GROUPS)
@pytest.mark.parametrize("tilt", [(0.0, 0.0), (1.3, -0.7)])
def test_both_axes_together_hold_each_node_once(operations, tilt):
    wedge = Wedge.of(PITCH, 6.0, operations, np.array([[0, 0]]))
    core, alpha, far, tilt = 1.2, 2.4, 3.1, np.array(tilt)
    found = {}
    for axis, pitch in ((0, PITCH), (1, np.ascontiguousarray(PITCH[::-1]))):
        table = direction_table(wedge, operations, axis)
        for run in disk_runs(table, tilt, pitch, core, alpha, far):
            way = table.step[run["operation"]]
            for column in range(run["begin"], run["end"]):
                node = (run["row"], column) if axis == 0 else (column, run["row"])
                assert node not in found
                representative = run["first"], run["second"] + way * (column - run["begin"])
                distance = np.linalg.norm(np.array(node) @ PITCH - tilt)
                assert (run["disk_begin"] <= column < run["disk_end"]) == (distance <= alpha)
                assert (run["core_begin"] <= column < run["core_end"]) == (distance <= core)
                found[tuple(int(part) for part in node)] = tuple(int(part) for part in representative)
    reach = np.arange(-12, 13)
    wanted = {(int(a), int(b)) for a in reach for b in reach if np.linalg.norm(np.array([a, b]) @ PITCH - tilt) <= far}
    assert set(found) == wanted
    for node, representative in found.items():
        images = operations @ np.array(node)
        assert representative in {tuple(int(part) for part in image) for image in images}
        assert representative == max(tuple(int(part) for part in image) for image in images)


def test_a_negative_radius_is_no_circle():
    wedge = Wedge.of(PITCH, 6.0, GROUPS["1"], np.array([[0, 0]]))
    runs = disk_runs(direction_table(wedge, GROUPS["1"], 0), np.zeros(2), PITCH, -0.5, 1.0, 2.0)
    assert len(runs) == 9 and np.all(runs["core_begin"] == runs["core_end"])
