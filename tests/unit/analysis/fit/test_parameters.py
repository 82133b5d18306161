from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.parameters import NAMES, Displacement, render_pattern
from pacbed.errors import ParameterError
from pacbed.patterns import Geometry


def test_a_displacement_moves_in_the_stated_units(truth):
    there = truth.moved(
        Displacement(
            thickness_nm=1.0, mistilt_x_mrad=0.1, mistilt_y_mrad=0.2, center_x_mrad=0.4, center_y_mrad=-0.4,
            pixel_percent=1.0, rotation_deg=5.0, convergence_mrad=0.3, blur_mrad=0.1,
            ellipse_plus_percent=0.5, ellipse_cross_percent=-0.2,
        )
    )  # fmt: skip
    assert there.thickness_nm == 9.0
    assert np.array(there.mistilt_mrad) - truth.mistilt_mrad == pytest.approx([0.1, 0.2])
    assert np.array(there.center_px) - truth.center_px == pytest.approx([1.0, -1.0])
    assert there.pixel_mrad == pytest.approx(0.4 * np.exp(0.01))
    assert there.ellipse_percent == (0.5, -0.2)
    assert (there.rotation_deg, there.convergence_mrad, there.blur_mrad) == pytest.approx((30.0, 14.3, 0.5))


def test_there_and_back_is_where_one_was(truth):
    step = np.array([0.5, 0.3, -0.2, 0.0, 0.0, 2.0, 7.0, 0.1, 0.1, 1.0, -1.0])
    back = truth.moved(step).moved(-step)
    assert back.pixel_mrad == pytest.approx(truth.pixel_mrad, rel=1e-12)
    assert back.mistilt_mrad == pytest.approx(truth.mistilt_mrad)
    assert truth.moved(np.zeros(len(NAMES))) == truth


def test_the_image_shows_the_mistilt_turned_and_mirrored(truth):
    """2 mrad at 70 degrees of a crystal that is turned by 25: at 95 degrees; mirrored first: at -45."""
    for mirrored, azimuth in ((False, 95.0), (True, -45.0)):
        x, y = truth.mistilt_in_image(mirrored=mirrored)
        assert np.hypot(x, y) == pytest.approx(2.0)
        assert np.rad2deg(np.arctan2(y, x)) == pytest.approx(azimuth)


def test_solutions_are_compared_in_the_image(truth):
    turned = replace(truth, rotation_deg=115.0, mistilt_mrad=(truth.mistilt_mrad[1], -truth.mistilt_mrad[0]))
    assert not truth.differs(turned, nm=0.1, mrad=0.01)
    assert truth.differs(replace(truth, rotation_deg=115.0), nm=0.1, mrad=0.5)
    assert truth.differs(replace(truth, thickness_nm=9.0), nm=0.5, mrad=1.0)
    assert not truth.differs(replace(truth, thickness_nm=8.4), nm=0.5, mrad=1.0)


def test_a_pattern_lies_where_its_geometry_says(tiny_bundle, truth):
    shape = (40, 36)
    at = replace(truth, center_px=(17.0, 20.5), pixel_mrad=0.9)
    assert at.geometry(shape, mirrored=True) == Geometry(shape, 0.9, (17.0, 20.5), 25.0, mirrored=True)
    bent = replace(at, ellipse_percent=(1.0, 2.0)).geometry(shape)
    assert bent == Geometry(shape, 0.9, (17.0, 20.5), 25.0, ellipse_percent=(1.0, 2.0))
    shifted = replace(at, center_px=(18.0, 22.5))
    one, other = (render_pattern(tiny_bundle.renderer, p, p.geometry(shape)) for p in (at, shifted))
    inner = (slice(5, -5), slice(5, -5))  # at the rim the blur knows nothing of what lies outside
    np.testing.assert_allclose(other[2:, 1:][inner], one[:-2, :-1][inner], rtol=2e-3)


def test_parameters_outside_the_table_are_refused(tiny_bundle, truth):
    with pytest.raises(ParameterError, match="thickness_nm"):
        render_pattern(tiny_bundle.renderer, replace(truth, thickness_nm=99.0), truth.geometry((32, 32)))
