from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.absolute import AbsoluteIntensity, Shares, missing_shares
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.fit.sensitivity import jacobian, residuals
from pacbed.patterns import Geometry


def test_nothing_is_preferred_within_the_bounds():
    assert Shares(0.81, 0.94, 0.8, 0.95, 0.05).deviations().tolist() == [0, 0]


def test_beyond_the_bounds_the_relative_deviation_counts():
    np.testing.assert_allclose(Shares(0.72, 1.045, 0.8, 0.95, 0.05).deviations(), [-2.0, 2.0])


def test_what_a_table_lacks_grows_with_thickness(tiny_bundle):
    thickness, missing = missing_shares(tiny_bundle.renderer, 14.0)
    assert thickness[0] == 0 and thickness[-1] == tiny_bundle.table.thickness_max_nm
    assert missing[0] < 0.01 and 0.02 < missing[-1] < 0.5
    assert (np.diff(missing) > 0).all()
    geometry = Geometry.field_of_view(200, tiny_bundle.renderer.field_mrad)
    deep = tiny_bundle.renderer.render(thickness_nm=thickness[-1], convergence_mrad=14.0, geometry=geometry)
    assert missing[-1] == pytest.approx(1 - deep.sum(), abs=0.01)


@pytest.fixture(scope="module")
def absolute(analysis, tiny_bundle):
    """The beam that the pattern of `analysis` was recorded with, and its counts: electrons times the camera's gain."""
    return AbsoluteIntensity(2e7 * 3.0, *missing_shares(tiny_bundle.renderer, 14.0))


def test_the_fitted_share_is_that_of_the_electrons(analysis, absolute):
    shares = absolute.shares(analysis.model, analysis.parameters)
    assert shares.fitted == pytest.approx(shares.least, rel=0.02)
    assert shares.recorded > shares.most  # the camera has a dark level and the pattern a background


def test_shares_are_in_proportion_to_the_exposure(analysis, absolute):
    one, two = (replace(absolute, counts=counts).shares(analysis.model, analysis.parameters) for counts in (6e7, 1.2e8))
    assert two.fitted == pytest.approx(one.fitted / 2) and two.recorded == pytest.approx(one.recorded / 2)
    assert (two.least, two.most) == (one.least, one.most)


def test_slopes_are_those_of_the_residuals(analysis, absolute):
    at, model = analysis.parameters, analysis.model
    restraints = Restraints(14.0, 0.28, radius_px=35.0, radius_relative=0.003, absolute=replace(absolute, counts=9e7))
    slopes = jacobian(model, at, restraints, 1.0)
    pixels = int(model.cutout.mask.sum())
    step = np.zeros(slopes.shape[1])
    step[0] = 0.1
    here, there = (residuals(model, point, restraints, 1.0)[pixels:] for point in (at, at.moved(step)))
    assert slopes.shape[0] == pixels + len(here)
    np.testing.assert_allclose(slopes[pixels:, 0], (there - here) / 0.1, atol=1e-3)


def test_the_disk_of_a_vacuum_pattern_ties_angle_to_pixel(analysis):
    at = replace(analysis.parameters, convergence_mrad=14.0, pixel_mrad=0.4)
    known = Restraints(14.0, radius_px=34.0, radius_relative=0.01, ellipse_std_percent=None)
    np.testing.assert_allclose(known.deviations(at), [(35 / 34 - 1) / 0.01])
