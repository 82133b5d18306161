from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.maps.constants import FullFit, find_constants

AT = PatternParameters(8.0, (1.0, 0.5), (31.0, 32.0), 0.7, 15.0, 14.0, 0.4, (0.5, -0.2))


def fit(verdict="ok", mirrored=False, effects_nm=0.0, **changes):
    return FullFit(replace(AT, **changes), np.diag(np.full(11, 0.01)), mirrored, verdict, effects_nm, 0.1)


def test_constants_are_medians():
    fits = [fit(pixel_mrad=0.69), fit(pixel_mrad=0.70, blur_mrad=0.5), fit(pixel_mrad=0.71, convergence_mrad=15.0)]
    found = find_constants(fits, 90.0)
    assert (found.pixel_mrad, found.blur_mrad, found.convergence_mrad) == pytest.approx((0.70, 0.4, 14.0))
    assert found.fits == 3 and found.ellipse_percent == (0.5, -0.2)


def test_rotations_that_symmetry_makes_one_are_one():
    fits = [fit(rotation_deg=value) for value in (89.5, -0.5, 0.5, -179.0, 90.0)]
    assert (find_constants(fits, 90.0).rotation_deg + 45) % 90 == pytest.approx(45.0, abs=0.6)


def test_most_decide_which_way_round_the_crystal_lies():
    """A fit that sees it turned, or mirrored, says nothing of the others."""
    fits = [fit(), fit(rotation_deg=195.0, pixel_mrad=0.9), fit(rotation_deg=16.0), fit(mirrored=True, pixel_mrad=0.9)]
    found = find_constants(fits, 360.0)
    assert found.fits == 2 and not found.mirrored
    assert found.rotation_deg == pytest.approx(15.5) and found.pixel_mrad == pytest.approx(0.7)


def test_doubtful_fits_count_only_where_others_are_few():
    odd = [fit("doubtful", pixel_mrad=0.9)] * 5
    assert find_constants([fit(), fit(), fit(), *odd], 90.0).pixel_mrad == pytest.approx(0.7)
    assert find_constants([fit(), *odd], 90.0).pixel_mrad == pytest.approx(0.9)
    assert find_constants([fit("refused")], 90.0) is None
    assert find_constants([], 90.0) is None


def test_errors_of_constants_reach_the_thickness():
    """Where thickness and convergence angle go together, the scatter of angles is an error of all thicknesses."""
    covariance = np.diag(np.full(11, 0.01))
    covariance[0, 7] = covariance[7, 0] = 0.008  # of a correlation of 0.8: 0.8 nm per mrad
    angles = (13.8, 13.9, 14.0, 14.1, 14.2)
    fits = [replace(fit(convergence_mrad=angle), covariance=covariance) for angle in angles]
    expected = 0.8 * 1.25 * 1.4826 * 0.1 / np.sqrt(5)
    assert find_constants(fits, 90.0).thickness_std_nm == pytest.approx(expected, rel=1e-3)
    assert find_constants([fit(effects_nm=0.3)] * 4, 90.0).effects_nm == 0.3
    assert find_constants([fit()] * 4, 90.0).thickness_std_nm == 0


def test_a_fit_that_knows_nothing_of_an_unknown_stops_no_map():
    """A blur finer than a pixel leaves no trace: its variance was the rounding of others, even below zero."""
    covariance = np.diag(np.full(11, 0.01))
    covariance[8, 8], covariance[:8, 8], covariance[8, :8] = -0.16, 1e-5, 1e-5
    blind = [replace(fit(convergence_mrad=angle), covariance=covariance) for angle in (13.9, 14.0, 14.1)]
    assert find_constants(blind, 90.0).thickness_std_nm == pytest.approx(0.0, abs=0.1)
