from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pacbed.analysis.estimates import candidates, class_probabilities, network_values, refined_values
from pacbed.analysis.fit.covariance import Covariance
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import Fit, Refinement
from pacbed.analysis.fit.tried import TriedEffect
from pacbed.analysis.networks import Direction, NetworkAnswers
from pacbed.bundle.meta import ModelError
from pacbed.networks.peaks import Peak

VARIANCES = (0.01, 4e-4, 1e-4, 0, 0, 0.04, 0.25, 1e-4, 1e-4, 0.04, 0.01)  # in the order of `Displacement`


@pytest.fixture
def meta():
    return SimpleNamespace(
        max_angle_mrad=20.0,
        stack_pixels=100,
        model_error=ModelError.share(0.02, "two per cent"),
        trained=SimpleNamespace(thickness_nm=(1.0, 100.0)),
    )


def refinement(tilt, rotation, variances):
    at = PatternParameters(50.0, tilt, (10.0, 20.0), 0.2, rotation, 14.0, 0.3, (0.8, -0.4))
    return Refinement(Fit(at, 0.05), (), Fit(at, 0.05), None, Covariance(np.diag(variances), 1.0), 0.04)


def values(meta, tilt=(3.0, 0.0), rotation=100.0, variances=VARIANCES, mirrored=False):
    return refined_values(refinement(tilt, rotation, variances), meta, period_deg=90.0, mirrored=mirrored)


def test_uncertainties_of_the_thickness_add_up(meta):
    thickness = values(meta)["thickness_nm"]
    assert (thickness.std_statistical, thickness.std_model) == pytest.approx((0.1, 1.0))
    assert thickness.std == pytest.approx(np.hypot(0.1, 1.0))
    assert thickness.interval_90 == pytest.approx((50 - 1.6449 * thickness.std, 50 + 1.6449 * thickness.std))


def test_what_an_effect_would_do_to_the_thickness_is_in_its_error_bar(meta):
    effects = (
        TriedEffect("vacuum", "", 0.02, 0.02, 0.4, 0.001, False, 0.2, 0.24),
        TriedEffect("gamma", "", 1.0, 0.0, 0.0, 0.0, False, 0.0, 0.0),
    )
    known = replace(refinement((3.0, 0.0), 100.0, VARIANCES), effects=effects)
    found = refined_values(known, meta, period_deg=90.0, mirrored=False)
    thickness = found["thickness_nm"]
    assert (thickness.std_statistical, thickness.std_effects) == pytest.approx((0.1, 0.24))
    assert thickness.std_pattern == pytest.approx(np.hypot(0.1, 0.24))
    assert [(one.name, one.size, one.adopted) for one in found["effects"]] == [
        ("vacuum", 0.02, False),
        ("gamma", 1.0, False),
    ]


def test_what_is_not_known_at_all_lies_in_the_range_of_the_bundle(meta):
    effects = (TriedEffect("vacuum", "", 0.0, 0.4, 0.0, 0.0, False, 0.0, 7e4),)
    known = replace(refinement((3.0, 0.0), 100.0, VARIANCES), effects=effects)
    found = refined_values(known, meta, period_deg=90.0, mirrored=False)
    assert found["thickness_nm"].std_effects == 99.0


def test_the_ellipse_is_told_with_its_error(meta):
    found = values(meta)
    assert (found["ellipse_plus_percent"].value, found["ellipse_plus_percent"].std) == pytest.approx((0.8, 0.2))
    assert (found["ellipse_cross_percent"].value, found["ellipse_cross_percent"].std) == pytest.approx((-0.4, 0.1))


def test_the_mistilt_is_turned_into_the_image(meta):
    found = values(meta)
    assert (found["mistilt_x_mrad"].value, found["mistilt_y_mrad"].value) == pytest.approx(
        (3 * np.cos(np.deg2rad(100)), 3 * np.sin(np.deg2rad(100)))
    )
    assert found["mistilt_azimuth_deg"].value == pytest.approx(100.0)
    assert found["mistilt_mrad"].value == pytest.approx(3.0)
    assert found["mistilt_mrad"].std == pytest.approx(0.02)  # along the tilt
    # Across it: the crystal-frame error and that of the rotation, half a degree of 3 mrad.
    assert found["mistilt_azimuth_deg"].std == pytest.approx(
        np.rad2deg(np.hypot(0.01, 3 * np.deg2rad(0.5)) / 3), rel=1e-3
    )


def test_a_mirrored_camera_mirrors_the_mistilt_before_it_turns(meta):
    assert values(meta, tilt=(0.0, 3.0), rotation=30.0, mirrored=True)["mistilt_azimuth_deg"].value == pytest.approx(
        300.0
    )


def test_covariance_is_checked_by_sampling(meta):
    rng = np.random.default_rng(0)
    variances = (0.01, 4e-4, 1e-4, 0, 0, 0.04, 4.0, 1e-4, 1e-4)
    found = values(meta, tilt=(2.0, 1.0), rotation=40.0, variances=variances)
    draws = [np.array([2.0, 1.0]), np.sqrt([4e-4, 1e-4]), 40.0, 2.0]
    tilts = draws[0] + draws[1] * rng.standard_normal((20000, 2))
    angle = np.deg2rad(draws[2] + draws[3] * rng.standard_normal(20000))
    x = np.cos(angle) * tilts[:, 0] - np.sin(angle) * tilts[:, 1]
    y = np.sin(angle) * tilts[:, 0] + np.cos(angle) * tilts[:, 1]
    np.testing.assert_allclose(found["mistilt_covariance_mrad2"], np.cov(x, y), rtol=0.06, atol=1e-5)


def test_a_tilt_below_two_standard_errors_has_no_direction(meta):
    assert values(meta, tilt=(0.03, 0.0))["mistilt_azimuth_deg"] is None
    assert values(meta, tilt=(0.03, 0.0))["mistilt_mrad"].interval_90[0] == 0.0


def test_rotation_and_scale_are_put_in_their_units(meta):
    found = values(meta)
    assert found["rotation_deg"].value == pytest.approx(10.0)
    assert found["rotation_deg"].modulo_deg == 90.0
    assert found["scale"].value == pytest.approx(0.2 / 0.4)
    assert found["pixel_mrad"].std == pytest.approx(0.2 * 0.2 / 100)


def test_an_undetermined_tilt_is_no_crash(meta):
    assert replace(refinement((0.0, 0.0), 0.0, np.zeros(9))).best.parameters.mistilt_mrad == (0.0, 0.0)
    assert values(meta, tilt=(0.0, 0.0), variances=np.zeros(9))["mistilt_azimuth_deg"] is None


@pytest.fixture
def answers():
    probabilities = {"scale": np.array([0.2, 0.8]), "thickness": np.array([0.7, 0.3]), "mistilt": np.array([1.0, 0.0])}
    peaks = (Peak(40.0, 1.5, 0.7), Peak(60.0, 2.0, 0.3))
    return NetworkAnswers(probabilities, peaks, Peak(1.0, 0.4, 1.0), 0.3, 0.31, (1.02,), scale_converged=True)


def test_the_networks_alone_give_thickness_tilt_and_scale(meta, answers):
    found = network_values(answers, meta, convergence_mrad=14.0)
    assert (found["thickness_nm"].value, found["thickness_nm"].std_statistical) == (40.0, 1.5)
    assert found["thickness_nm"].std_model == pytest.approx(0.8)
    assert (found["mistilt_mrad"].value, found["mistilt_mrad"].std) == (1.0, 0.4)
    assert found["scale"].value == pytest.approx(0.3 / 0.4) and found["scale"].std is None
    unknown = [name for name, value in found.items() if value is None]
    assert {"mistilt_azimuth_deg", "rotation_deg", "blur_mrad", "misfit"} <= set(unknown)
    assert set(found) == set(values(meta)), "the same fields as after a refinement"


def test_networks_that_tell_a_direction_give_the_vector(meta, answers):
    """A mistilt of 2 +- 0.4 mrad towards 60 +- 6 degrees: errors along it and across it."""
    told = replace(
        answers, mistilt=Peak(2.0, 0.4, 1.0), direction=Direction(np.pi / 3, np.deg2rad(6)), pixel_std_mrad=0.002
    )
    found = network_values(told, meta, convergence_mrad=14.0)
    assert (found["mistilt_azimuth_deg"].value, found["mistilt_azimuth_deg"].std) == pytest.approx((60.0, 6.0))
    assert found["mistilt_x_mrad"].value == pytest.approx(1.0)
    assert found["mistilt_y_mrad"].value == pytest.approx(np.sqrt(3))
    covariance = np.array(found["mistilt_covariance_mrad2"])
    along, across = np.array([0.5, np.sqrt(0.75)]), np.array([-np.sqrt(0.75), 0.5])
    assert along @ covariance @ along == pytest.approx(0.16)
    assert across @ covariance @ across == pytest.approx((2 * np.deg2rad(6)) ** 2)
    assert found["mistilt_x_mrad"].std == pytest.approx(np.sqrt(covariance[0, 0]))
    assert (found["pixel_mrad"].std, found["scale"].std) == pytest.approx((0.002, 0.005))


def test_a_direction_that_is_not_known_is_no_azimuth(meta, answers):
    told = replace(answers, direction=Direction(1.0, 0.8))
    assert network_values(told, meta, convergence_mrad=14.0)["mistilt_azimuth_deg"] is None


def test_a_thin_crystal_is_not_thinner_than_nothing(meta, answers):
    thin = replace(answers, candidates=(Peak(1.0, 2.0, 1.0),))
    assert network_values(thin, meta, convergence_mrad=14.0)["thickness_nm"].interval_90[0] == 0.0


def test_candidates_and_probabilities_are_those_of_the_networks(answers):
    assert [(one.value, one.probability) for one in candidates(answers)] == [(40.0, 0.7), (60.0, 0.3)]
    networks = {task: SimpleNamespace(class_values=np.array([1.0, 2.0])) for task in answers.probabilities}
    found = class_probabilities(answers, networks)
    assert found["scale"].probability == [0.2, 0.8] and found["scale"].class_values == [1.0, 2.0]
    assert list(found) == ["mistilt", "scale", "thickness"]
