"""Where pixels, nodes and disks lie to each other, against looking at every pixel and every node."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.patterns import Geometry
from pacbed.simulation.rendering.kernels.detector import (
    aperture,
    detector_box,
    field_ranges,
    needed_nodes,
    node_range,
    pixel_stencils,
    ring_columns,
    ring_rows,
    visible_pixels,
)
from pacbed.simulation.rendering.kernels.tables import Illumination, NodeBox, NodeFrame, Scene
from pacbed.simulation.table.spline import spline_weights

PITCH = np.array([[0.5, 0.0], [0.25, 0.4]])  # oblique nodes: m2 moves with y alone
GEOMETRIES = {
    "straight": Geometry((6, 9), 0.3, (4.0, 2.5)),
    "quarter": Geometry((6, 9), 0.3, (4.0, 2.5), rotation_deg=90.0),
    "turned": Geometry((11, 8), 0.7, (1.0, 7.5), rotation_deg=33.0, mirrored=True),
    "point": Geometry((1, 1), 0.3, (4.0, 2.5)),
}


def scene_of(geometry, *, field=1e3, tilt=(0.4, -0.1)):
    frame = NodeFrame(PITCH, np.linalg.inv(PITCH), np.zeros((1, 2)), field, 1.0)
    return Scene(frame, Illumination(np.array(tilt), 5.0, 0.3, 1.0), geometry.lines_mrad())


def angles(geometry):
    """(kx, ky) of every pixel, shape (ny, nx, 2)."""
    return np.stack(geometry.angles_mrad(), axis=-1)


@pytest.mark.parametrize("seed", range(5))
def test_nodes_of_a_row_within_a_circle(seed):
    rng = np.random.default_rng(seed)
    x, y, radius = *rng.uniform(-3, 3, 2), rng.uniform(0.2, 6)
    for m1 in range(-20, 21):
        m2 = np.arange(-30, 31)
        inside = m2[np.linalg.norm(np.stack([np.full(61, m1), m2], axis=1) @ PITCH - (x, y), axis=1) <= radius]
        begin, end = node_range(m1, x, y, PITCH, radius, -30, 31)
        np.testing.assert_array_equal(np.arange(begin, end), inside)


def test_nodes_of_a_row_are_clipped():
    assert node_range(0, 0.0, 0.0, PITCH, 50.0, -3, 6) == (-3, 6)
    begin, end = node_range(40, 0.0, 0.0, PITCH, 1.0, -3, 6)
    assert begin == end


def test_field_of_every_row():
    box = NodeBox(-4, 7, -9, 12)
    for row, (begin, end) in enumerate(field_ranges(box, PITCH, 2.2)):
        assert (begin, end) == node_range(row - 4, 0.0, 0.0, PITCH, 2.2, -9, 12)


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("radius", [0.0, 0.5, 1.7, 40.0])
def test_pixels_near_a_circle(geometry, radius):
    """Those within half a milliradian of it, row by row; where the hole is left out there is none."""
    width, lines = 0.5, geometry.lines_mrad()
    distance = np.linalg.norm(angles(geometry) - (0.3, -0.2), axis=-1)
    first, last = ring_rows(*(lines[0] - (0.3, -0.2)), lines, radius + width, 0, geometry.shape[0])
    for row in range(geometry.shape[0]):
        wanted = np.abs(distance[row] - radius) <= width
        if not first <= row < last:
            assert not wanted.any()
            continue
        x, y = lines[0] + row * lines[1] - (0.3, -0.2)
        left, hole, hole_end, right = ring_columns(x, y, *lines[2], radius, width, geometry.shape[1])
        found = np.zeros(geometry.shape[1], dtype=bool)
        found[left:hole] = found[hole_end:right] = True
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("edge", [0.0, 1.2])
def test_aperture(edge):
    distance = np.array([0.0, 4.39, 4.41, 5.0, 5.3, 5.59, 5.61, 9.0])
    passed = np.array([aperture(one, 5.0, edge) for one in distance])
    expected = np.clip((5.6 - distance) / 1.2, 0, 1) if edge else distance <= 5.0
    np.testing.assert_allclose(passed, expected, atol=1e-6)


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_visible_pixels_lie_in_the_field(geometry):
    tilt, field = np.array([0.4, -0.1]), 1.3
    visible = visible_pixels(geometry.lines_mrad(), geometry.shape, tilt, field)
    inside = np.linalg.norm(angles(geometry) + tilt, axis=-1) <= field
    for row, (begin, end) in enumerate(visible):
        found = np.zeros(geometry.shape[1], dtype=bool)
        found[begin:end] = True
        np.testing.assert_array_equal(found, inside[row])


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_stencils_of_every_pixel(geometry):
    """The node below and the spline's weights, wherever one stencil stands for a row or a column."""
    scene = scene_of(geometry)
    box = detector_box(scene.lines_mrad, geometry.shape, scene.light.mistilt_mrad, scene.frame.inverse)
    stencils = pixel_stencils(scene, geometry.shape, box)
    position = (angles(geometry) + scene.light.mistilt_mrad) @ scene.frame.inverse
    for row, column in np.ndindex(geometry.shape):
        u = position[row, column]
        at1, at2 = row * stencils.row1 + column * stencils.column1, row * stencils.row2 + column * stencils.column2
        for axis, (below, weights) in enumerate(
            [(stencils.below1[at1], stencils.weights1[at1]), (stencils.below2[at2], stencils.weights2[at2])]
        ):
            np.testing.assert_allclose(weights, spline_weights(u[axis] - below), atol=1e-5)
            assert -1e-5 <= u[axis] - below <= 1 + 1e-5
            low, stop = (box.first1, box.stop1) if axis == 0 else (box.first2, box.stop2)
            assert low <= below - 1 and below + 2 < stop


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_needed_nodes_hold_what_visible_pixels_read(geometry):
    scene = scene_of(geometry, field=1.3)
    box = detector_box(scene.lines_mrad, geometry.shape, scene.light.mistilt_mrad, scene.frame.inverse)
    stencils = pixel_stencils(scene, geometry.shape, box)
    read = np.zeros((box.stop1 - box.first1, box.stop2 - box.first2), dtype=bool)
    for row, (begin, end) in enumerate(stencils.visible):
        for column in range(begin, end):
            at1, at2 = row * stencils.row1 + column * stencils.column1, row * stencils.row2 + column * stencils.column2
            i, j = stencils.below1[at1] - 1 - box.first1, stencils.below2[at2] - 1 - box.first2
            read[i : i + 4, j : j + 4] = True
    for row, (begin, end) in enumerate(needed_nodes(stencils, box)):
        columns = np.flatnonzero(read[row])
        if len(columns):
            assert (begin, end) == (columns[0] + box.first2, columns[-1] + 1 + box.first2)
        else:
            assert begin >= end
