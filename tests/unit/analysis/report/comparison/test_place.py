from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.report.comparison.place import Place

AT = PatternParameters(12.0, (0.7, -1.1), (70.2, 84.1), 0.4, 33.0, 14.2, 0.5, (0.4, -0.2))


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_place_is_its_parameters(mirrored):
    again = Place.of(AT, 1.3, mirrored=mirrored).parameters(mirrored=mirrored)
    assert again.mistilt_mrad == pytest.approx(AT.mistilt_mrad)
    assert replace(again, mistilt_mrad=AT.mistilt_mrad) == AT


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_azimuth_is_that_of_the_image(mirrored):
    place = replace(Place.of(AT, 1.0, mirrored=mirrored), mistilt_mrad=2.0, azimuth_deg=90.0)
    np.testing.assert_allclose(
        place.parameters(mirrored=mirrored).mistilt_in_image(mirrored=mirrored), [0.0, 2.0], atol=1e-12
    )
