"""The sum over beams: widened step by step it is that of one step, and that of adding every pair."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.patterns import Geometry
from pacbed.simulation.rendering.kernels.detector import detector_box, needed_nodes, pixel_stencils
from pacbed.simulation.rendering.kernels.node_sums import widen_sum
from pacbed.simulation.rendering.kernels.tables import ComponentTable, NodeSum
from pacbed.simulation.rendering.table_patterns import TablePatterns
from pacbed.simulation.rendering.view import View

VIEW = View(Geometry((14, 11), 1.3, (6.0, 7.0), rotation_deg=10.0), np.array([1.1, -0.4]), 0.0, 0.5)


@pytest.fixture(scope="module")
def patterns(tiny_table):
    return TablePatterns(tiny_table)


@pytest.fixture
def empty(patterns):
    """Component table, and a sum that holds no disk yet."""
    components = patterns._components()
    table = ComponentTable(*components.coded, patterns._pairs, patterns._along[0])
    scene = patterns._scene(5.0, VIEW)
    box = detector_box(scene.lines_mrad, VIEW.geometry.shape, VIEW.mistilt_mrad, scene.frame.inverse)
    needed = needed_nodes(pixel_stencils(scene, VIEW.geometry.shape, box), box)
    total = np.zeros((box.stop1 - box.first1, box.stop2 - box.first2, len(components.basis)), dtype=np.float32)
    disk = np.zeros((len(table.directions.operation), 2), dtype=np.int32)
    return table, NodeSum(box, needed, disk, total), components


def widened(patterns, empty, angles):
    table, nodes, _ = empty
    nodes = nodes._replace(disk=nodes.disk.copy(), components=nodes.components.copy())
    for angle in angles:
        widen_sum(table, patterns._scene(angle, VIEW), nodes)
    return nodes


def test_steps_add_up(patterns, empty):
    once, often = widened(patterns, empty, [8.0]), widened(patterns, empty, [3.0, 5.5, 5.6, 5.6, 8.0])
    np.testing.assert_array_equal(once.disk, often.disk)
    np.testing.assert_allclose(often.components, once.components, atol=1e-5 * np.abs(once.components).max())


def test_every_pair_on_a_disk_once(patterns, empty, expanded, tiny_table):
    """Node by node, from the coefficients expanded with the operations."""
    nodes, basis = widened(patterns, empty, [5.0]), empty[2].basis
    box, planes = nodes.box, len(tiny_table.codes)
    scale = np.abs(nodes.components).max()
    rng, steps = np.random.default_rng(2), np.array(tiny_table.steps)
    for _ in range(40):
        row = int(rng.integers(len(nodes.needed)))
        begin, end = nodes.needed[row]
        if begin >= end:
            continue
        node = np.array([row + box.first1, int(rng.integers(begin, end))])
        expected = np.zeros(planes)
        for beam in tiny_table.beams:
            direction = node - beam * steps
            if np.linalg.norm(direction @ tiny_table.pitch_mrad - VIEW.mistilt_mrad) <= 5.0:
                expected += expanded[(*map(int, direction), *map(int, beam))]
        found = nodes.components[row, node[1] - box.first2] @ basis
        np.testing.assert_allclose(found[:planes], expected, atol=1e-3 * scale)
