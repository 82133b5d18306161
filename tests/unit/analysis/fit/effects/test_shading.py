import numpy as np
import pytest

from pacbed.analysis.fit.effects.shading import Shading
from pacbed.analysis.fit.effects.trial import try_effect


@pytest.mark.parametrize("size", [0.15, -0.15])
def test_an_uneven_gain_is_found_with_its_direction(fitted, size):
    trial = try_effect(fitted("shading", size), Shading())
    assert trial.place.amounts * Shading().width == pytest.approx([size, 0.0], abs=0.03)
    assert Shading().size(trial.place.amounts) == pytest.approx(0.15, abs=0.03)
    assert trial.merit > 1


def test_the_size_is_the_change_from_centre_to_rim(model, truth):
    plain, shaded = (Shading().applied(model, np.array([amount, 0.0])).render_sharp(truth) for amount in (0.0, 2.0))
    cx, cy = model.cutout.geometry(truth, mirrored=False).center_px
    radius = 14.0 / (0.4 * model.cutout.factor)
    row, column = round(cy), round(cx + radius / 2)
    assert shaded[row, column] / plain[row, column] == pytest.approx(1 + 0.1 * (column - cx) / radius, rel=1e-4)
