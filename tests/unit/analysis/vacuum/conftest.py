"""A camera for the bare beam."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.linalg import expm

FINER = 5  # points along the edge of a pixel


@pytest.fixture(scope="session")
def vacuum():
    """Function that records a disk: sampled finely, blurred, binned, counted."""

    def record(
        *, frame=((160, 150), (70.3, 84.6)), radius_px=35.0, ellipse_percent=(0.0, 0.0), edge_px=1.0,
        shading=(0.0, 0.0), electrons=2e6, background=0.0, seed=2,
    ):  # fmt: skip
        shape, center_px = frame
        row, column = (np.indices([FINER * n for n in shape]) + 0.5) / FINER - 0.5
        plus, cross = np.array(ellipse_percent) / 100
        inverse = expm(-np.array([[plus, cross], [cross, -plus]])) / radius_px
        ux, uy = np.tensordot(inverse, [column - center_px[0], row - center_px[1]], axes=1)
        image = (np.hypot(ux, uy) <= 1) * (1 + shading[0] * ux + shading[1] * uy)
        image = ndimage.gaussian_filter(image, FINER * edge_px)
        image = image.reshape(shape[0], FINER, shape[1], FINER).mean(axis=(1, 3))
        counts = image * electrons / image.sum() + background
        return np.random.default_rng(seed).poisson(counts).astype(np.float32)

    return record
