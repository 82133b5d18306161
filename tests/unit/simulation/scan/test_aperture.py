"""The aperture of abTEM's probes and that of the renderer are the same disk."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.simulation.rendering.kernels import detector as detector_grid
from pacbed.simulation.scan.aperture import ShiftedAperture, aperture_transmission


@pytest.mark.parametrize("edge_mrad", [0.0, 0.3, 2.0])
def test_both_engines_have_the_same_ramp(edge_mrad):
    angles = np.linspace(0, 20, 2001)
    compiled = [detector_grid.aperture(angle, 12.345, edge_mrad) for angle in angles]
    np.testing.assert_allclose(aperture_transmission(angles, 12.345, edge_mrad), compiled, atol=1e-6)


def test_the_semi_convergence_angle_lies_in_the_middle_of_the_ramp():
    np.testing.assert_allclose(
        aperture_transmission(np.array([11.0, 11.5, 12.0, 12.5, 13.0]), 12.0, 1.0), [1, 1, 0.5, 0, 0]
    )
    np.testing.assert_array_equal(aperture_transmission(np.array([11.9, 12.0, 12.1]), 12.0, 0.0), [1, 1, 0])


@pytest.mark.parametrize("edge_mrad", [0.0, 1.5])
def test_a_shifted_probe_samples_the_disk_between_the_points_of_its_grid(edge_mrad):
    """The amplitude at a point of abTEM's grid is that of the unshifted disk at the point plus the shift."""
    shift, radius = (0.7, -0.4), 9.0
    disk = ShiftedAperture(radius + 2, radius, edge_mrad, shift, energy=200e3)
    kx, ky = np.meshgrid(np.linspace(-12, 12, 41), np.linspace(-12, 12, 41), indexing="ij")
    amplitude = disk._evaluate_from_angular_grid(np.hypot(kx, ky) / 1e3, np.arctan2(ky, kx))
    expected = aperture_transmission(np.hypot(kx + shift[0], ky + shift[1]), radius, edge_mrad)
    np.testing.assert_allclose(amplitude**2, expected, atol=1e-5)
    assert not np.allclose(amplitude**2, aperture_transmission(np.hypot(kx, ky), radius, edge_mrad), atol=0.1)
