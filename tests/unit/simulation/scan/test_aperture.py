"""The aperture of abTEM's probes and that of the renderer are the same disk."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.simulation.rendering.kernels.detector import aperture as compiled_aperture
from pacbed.simulation.scan.aperture import aperture


@pytest.mark.parametrize("edge_mrad", [0.0, 0.3, 2.0])
def test_both_engines_have_the_same_ramp(edge_mrad):
    angles = np.linspace(0, 20, 2001)
    compiled = [compiled_aperture(angle, 12.345, edge_mrad) for angle in angles]
    np.testing.assert_allclose(aperture(angles, 12.345, edge_mrad), compiled, atol=1e-6)


def test_the_semi_convergence_angle_lies_in_the_middle_of_the_ramp():
    np.testing.assert_allclose(aperture(np.array([11.0, 11.5, 12.0, 12.5, 13.0]), 12.0, 1.0), [1, 1, 0.5, 0, 0])
    np.testing.assert_array_equal(aperture(np.array([11.9, 12.0, 12.1]), 12.0, 0.0), [1, 1, 0])
