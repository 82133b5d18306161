"""Rows of pixels: interpolated from nodes, transposed, and mixed to patterns."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.patterns import Geometry
from pacbed.simulation.rendering.kernels.detector import detector_box, pixel_stencils
from pacbed.simulation.rendering.kernels.mixing import mix_row, turn_row
from pacbed.simulation.rendering.kernels.rows import interpolate_row
from pacbed.simulation.rendering.kernels.tables import Illumination, Mix, NodeFrame, NodeSum, Scene
from pacbed.simulation.rendering.kernels.vectors import LANES

PITCH = np.array([[0.5, 0.0], [0.0, 0.4]])


def test_turning_leaves_invisible_pixels_alone():
    components = np.random.default_rng(1).normal(size=(7, 2 * LANES + 1)).astype(np.float32)
    turned = np.full((2 * LANES, 7), 5.0, dtype=np.float32)
    turn_row(components, np.array([2, 6]), turned)
    np.testing.assert_array_equal(turned[:, 2:6], components[2:6, : 2 * LANES].T)
    assert np.all(turned[:, :2] == 5.0) and np.all(turned[:, 6:] == 5.0)


@pytest.mark.parametrize("thicknesses", [1, 4, 6])
def test_mixed_patterns_are_weighted_sums(thicknesses):
    """Components beyond those used count as nothing; pixels beyond the visible ones become zero."""
    rng = np.random.default_rng(2)
    padded = -(-thicknesses // 4) * 4
    weights = np.zeros((padded, 12), dtype=np.float32)
    weights[:thicknesses, 4:8] = rng.normal(size=(thicknesses, 4))
    turned = rng.normal(size=(12, 9)).astype(np.float32)
    out = np.full((thicknesses, 3, 9), np.nan, dtype=np.float32)
    mix_row(Mix(weights, np.array([[4, 8]] * (padded // 4))), turned, np.array([1, 8]), 2, out)
    np.testing.assert_allclose(out[:, 2, 1:8], (weights @ turned)[:thicknesses, 1:8], atol=1e-5)
    assert not out[:, 2, [0, 8]].any() and np.isnan(out[:, :2]).all()


@pytest.mark.parametrize("rotation_deg", [0.0, 90.0, 27.0])
def test_rows_between_nodes(rotation_deg):
    """A cubic polynomial of the angle, on nodes, comes out of a row whichever axis runs along it."""
    geometry = Geometry((5, 8), 0.31, (3.0, 2.0), rotation_deg=rotation_deg)
    frame = NodeFrame(PITCH, np.linalg.inv(PITCH), np.zeros((1, 2)), 50.0, 1.0)
    scene = Scene(frame, Illumination(np.array([0.2, 0.1]), 5.0, 0.3, 1.0), geometry.lines_mrad())
    box = detector_box(scene.lines_mrad, geometry.shape, scene.light.mistilt_mrad, frame.inverse)
    m = np.stack(
        np.meshgrid(np.arange(box.first1, box.stop1), np.arange(box.first2, box.stop2), indexing="ij"), axis=-1
    )
    linear = (m @ PITCH)[..., 0] * 2 - (m @ PITCH)[..., 1]
    components = np.stack([linear, np.ones_like(linear)], axis=-1).astype(np.float32)
    nodes = NodeSum(box, np.zeros((0, 2), dtype=np.int64), np.zeros((0, 2), dtype=np.int32), components)
    stencils = pixel_stencils(scene, geometry.shape, box)
    line = np.empty((max(components.shape[:2]), 2), dtype=np.float32)
    kx, ky = geometry.angles_mrad()
    for row in range(5):
        out = np.zeros((8, 2), dtype=np.float32)
        interpolate_row(nodes, stencils, row, line, out)
        np.testing.assert_allclose(out[:, 0], 2 * (kx[row] + 0.2) - (ky[row] + 0.1), atol=1e-4)
        np.testing.assert_allclose(out[:, 1], 1.0, atol=1e-5)
