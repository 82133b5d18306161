import numpy as np
import pytest
from scipy import ndimage


@pytest.fixture
def recorded():
    """Function that makes counts of a disk with fringes, about 500 above a dark level of 100."""

    def make(shape=(128, 128), radius=38.0, dark=100.0, level=500.0, seed=1):
        row, column = np.indices(shape)
        middle = [(n - 1) / 2 for n in shape]
        distance = np.hypot(row - middle[0] - 2, column - middle[1] + 3)
        fringes = 1 + 0.5 * np.cos(row / 4) * np.cos(column / 5)
        mean = ndimage.gaussian_filter(level * fringes * (distance < radius), 1.0) + dark
        return np.random.default_rng(seed).poisson(mean).astype(np.float32)

    return make
