from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.limits import REACH, SCALES, THINNEST_NM, bounds
from pacbed.analysis.fit.parameters import Displacement


def test_a_fit_goes_no_farther_than_its_reach(model, truth):
    low, high = (Displacement(*side) for side in bounds(model, truth))
    assert (low.rotation_deg, high.rotation_deg) == (-REACH.rotation_deg, REACH.rotation_deg)
    assert (np.array(low) < 0).all() and (np.array(high) > 0).all()
    assert (np.array(SCALES) < np.array(REACH)).all()


def test_thickness_and_angle_stay_inside_the_table(model, truth):
    low, high = (Displacement(*side) for side in bounds(model, truth))
    assert truth.thickness_nm + low.thickness_nm > THINNEST_NM
    assert truth.thickness_nm + high.thickness_nm < model.renderer.table.thickness_max_nm
    edge = replace(truth, convergence_mrad=truth.convergence_mrad + high.convergence_mrad)
    assert model.mistilt_limit_mrad(edge) >= 0


def test_an_ellipse_is_bounded_from_the_circle_and_not_from_the_start(model, truth):
    bent = replace(truth, ellipse_percent=(3.0, -3.0))
    low, high = (Displacement(*side) for side in bounds(model, bent))
    assert (3.0 + high.ellipse_plus_percent, -3.0 + low.ellipse_cross_percent) == pytest.approx((3.85, -3.85))
    assert 3.0 + low.ellipse_plus_percent == pytest.approx(-3.85)
