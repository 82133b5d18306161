import numpy as np
import pytest

from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import NAMES, PatternParameters, render_pattern
from pacbed.analysis.maps.constants import OWN
from pacbed.analysis.maps.window_fit import begin, coarse_chi_square, finish, slopes_at, window_covariance
from pacbed.outline import find_outline

TRUTH = PatternParameters(6.3, (0.9, -0.5), (31.4, 30.2), 0.7, 20.0, 14.0, 0.4)


def model_of(bundle, electrons=None, seed=0):
    image = render_pattern(bundle.renderer, TRUTH, TRUTH.geometry((64, 64)))
    if electrons is not None:
        image = np.random.default_rng(seed).poisson(image * electrons)
    image = image.astype(np.float32)
    return ForwardModel(bundle.renderer, Cutout.around(image, find_outline(image), pixels=44))


def fit_window(model, start):
    return finish(model, begin(model, start), rounds=4)


def moved(**by):
    """Parameters off the truth, in the units of the fit."""
    return TRUTH.moved([by.get(name, 0.0) for name in NAMES])


def test_a_fit_ends_at_the_truth(tiny_bundle):
    model = model_of(tiny_bundle)
    start = moved(thickness_nm=0.8, mistilt_x_mrad=-0.4, mistilt_y_mrad=0.3, center_x_mrad=0.3, center_y_mrad=-0.2)
    found = fit_window(model, start)
    assert found.parameters.thickness_nm == pytest.approx(TRUTH.thickness_nm, abs=0.02)
    assert found.parameters.mistilt_mrad == pytest.approx(TRUTH.mistilt_mrad, abs=0.02)
    assert found.parameters.center_px == pytest.approx(TRUTH.center_px, abs=0.05)
    assert found.misfit < 0.02


def test_slopes_learn_from_a_step(tiny_bundle):
    """After it they explain what the residual did, and are otherwise as they were."""
    model = model_of(tiny_bundle, electrons=1e6)
    slopes, step = slopes_at(model, TRUTH), np.array([0.3, 0.1, -0.1, 0.05, 0.02])
    change = np.random.default_rng(1).normal(size=len(slopes.columns))
    corrected = slopes.corrected(step, change)
    np.testing.assert_allclose(corrected.columns @ step, change)
    across = np.array([0.1, -0.3, 0.0, 0.0, 0.0]) * [2.5**2, 0.9**2, 1, 1, 1]
    np.testing.assert_allclose(corrected.columns @ across, slopes.columns @ across, atol=1e-9)


def test_what_windows_share_stays_as_it_is(tiny_bundle):
    found = fit_window(model_of(tiny_bundle), moved(thickness_nm=0.5)).parameters
    for name in ("pixel_mrad", "rotation_deg", "convergence_mrad", "blur_mrad", "ellipse_percent"):
        assert getattr(found, name) == getattr(TRUTH, name)


def test_a_fit_never_leaves_its_start_for_a_worse_place(tiny_bundle):
    """Also from afar, where it is not linear, and at the end of the table."""
    model = model_of(tiny_bundle)
    for start in (moved(thickness_nm=3.0), moved(thickness_nm=-5.0), moved(thickness_nm=50.0, mistilt_x_mrad=30.0)):
        found = fit_window(model, start)
        assert 0 < found.parameters.thickness_nm < tiny_bundle.table.thickness_max_nm
        if start.thickness_nm < 10:
            assert found.misfit <= model.misfit(model.residual(start)) + 1e-12


def test_slopes_are_the_derivatives_of_the_residual(tiny_bundle):
    model = model_of(tiny_bundle, electrons=1e7)
    at = moved(thickness_nm=0.1)
    slopes = slopes_at(model, at).columns
    here = model.residual(at)
    for index, name in enumerate(OWN):
        step = 0.02
        ahead = model.residual(at.moved([step if one == name else 0.0 for one in NAMES]))
        difference, slope = (ahead - here) / step, slopes[:, index]
        cosine = difference @ slope / np.linalg.norm(difference) / np.linalg.norm(slope)
        assert cosine > (0.9 if name.startswith("center") else 0.97), name


def test_the_error_bar_is_the_scatter(tiny_bundle):
    """Of independent noise."""
    found = []
    for seed in range(24):
        model = model_of(tiny_bundle, electrons=3e5, seed=seed)
        fit = fit_window(model, TRUTH)
        found.append((fit.parameters.thickness_nm, window_covariance(model, fit).std.thickness_nm))
    values, stds = np.array(found).T
    assert 0.6 < np.std(values) / np.median(stds) < 1.6
    covariance = window_covariance(model, fit)
    assert covariance.std.convergence_mrad == 0 and covariance.std.rotation_deg == 0


def test_a_wrong_thickness_leaves_structure_where_noise_leaves_none(tiny_bundle):
    model = model_of(tiny_bundle, electrons=1e6)
    right = coarse_chi_square(model, fit_window(model, TRUTH).parameters)
    assert 0.5 < right < 1.5
    assert coarse_chi_square(model, moved(thickness_nm=1.0)) > 2 * right
