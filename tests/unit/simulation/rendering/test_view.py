"""What patterns of one request share: pixels, mistilt, blur and edge."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.patterns import Geometry
from pacbed.simulation.rendering.view import View

GEOMETRY = Geometry.field_of_view(41, 20.5)  # 1 mrad a pixel


def test_a_bright_pixel_becomes_a_gaussian():
    view = View(GEOMETRY, np.zeros(2), 2.5, 0.0)
    images = np.zeros((2, 41, 41), dtype=np.float32)
    images[0, 20, 20] = 1.0
    view.blur(images)
    x, y = GEOMETRY.angles_mrad()
    np.testing.assert_allclose(images[0], np.exp(-(x**2 + y**2) / (2 * 2.5**2)) / (2 * np.pi * 2.5**2), atol=1e-5)
    assert not images[1].any()


def test_no_blur_changes_nothing():
    image = np.random.default_rng(1).random((41, 41), dtype=np.float32)
    before = image.copy()
    View(GEOMETRY, np.zeros(2), 0.0, 0.0).blur(image)
    np.testing.assert_array_equal(image, before)


def test_blurs_add_up_in_squares():
    more = View(GEOMETRY, np.ones(2), 3.0, 0.7).blurred(4.0)
    assert more.blur_mrad == pytest.approx(5.0)
    assert more.edge_mrad == 0.7 and more.geometry == GEOMETRY
