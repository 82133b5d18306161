import numpy as np
import pytest

from pacbed.evaluation.advice.advise import Advice
from pacbed.evaluation.advice.question import Grid


@pytest.fixture
def advice():
    """Function that makes an advice of three angles and four thicknesses, the middle angle the best for thickness."""

    def make(noise=(2.0, 1.0, 4.0), model=0.1, mistilt=(3.0, 2.0, 1.0)):
        grid = Grid(np.array([10.0, 12.0, 14.0]), np.linspace(5.0, 50.0, 4), ((0.0, 0.0), (1.2, 1.6)))
        rows = np.array(noise)[:, None] * np.linspace(0.9, 1.1, 4)
        tilts = np.array(mistilt)[:, None] * np.ones(4)
        return Advice("tiny", 1e5, grid, rows, 0.8 * rows, np.full(4, model), tilts, 0.8 * tilts)

    return make
