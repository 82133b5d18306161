import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import pattern_from_array
from pacbed.analysis.report.comparison.preview import MARK, preview
from pacbed.errors import PatternError


def test_a_glance_says_what_the_file_says(camera):
    from dataclasses import replace

    pattern = replace(pattern_from_array(camera(), source="a.npy"), calibration=Calibration(0.4, 200.0, 14.0))
    seen = preview(pattern)
    assert (seen.pixel_mrad, seen.energy_kev, seen.convergence_mrad) == (0.4, 200.0, 14.0)
    assert seen.shape == (160, 150) and any("bright region" in line for line in seen.lines)
    image = iio.imread(seen.png)
    assert image.shape == (160, 150, 3) and 50 < (image == MARK).all(axis=-1).sum() < 300


def test_a_large_picture_is_shown_small(camera):
    seen = preview(pattern_from_array(np.kron(camera(), np.ones((6, 6), np.float32)), source="a.npy"))
    assert seen.shape == (960, 900) and max(iio.imread(seen.png).shape) <= 360


def test_an_even_picture_is_refused():
    with pytest.raises(PatternError, match="the value 1 in every pixel"):
        preview(pattern_from_array(np.ones((64, 64)), source="a.npy"))
