from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.forward import ForwardModel, Parameters, View, moved
from pacbed.analysis.fit.refinement import fit, refine
from pacbed.analysis.fit.sensitivity import NAMES, Priors, estimate_covariance, jacobian, noise_share
from pacbed.analysis.recording.outline import find_outline
from pacbed.patterns import polar_to_vector

TRUTH = Parameters(8.0, tuple(polar_to_vector(2.0, 70.0)), (70.3, 84.6), 0.4, 25.0, 14.0, 0.4)
AWAY = np.array([-1.5, 0.4, -0.4, 0.5, 0.5, 2, 4, -0.2, 0.1])
PRIORS = Priors(14.0, 0.28)


@pytest.fixture(scope="module")
def image(camera):
    return camera()


@pytest.fixture(scope="module")
def model(tiny_bundle, image):
    outline = find_outline(image)
    return ForwardModel(
        tiny_bundle.renderer, View.around(image, outline.center_px, outline.radius_px, reach=1.3, pixels=70)
    )


def test_the_truth_is_found_from_several_starts(tiny_bundle, image):
    starts = [moved(TRUTH, AWAY), moved(TRUTH, -4 * AWAY), replace(moved(TRUTH, AWAY), thickness_nm=3.0)]
    found = refine(tiny_bundle.renderer, image, find_outline(image), starts, priors=PRIORS)
    best, std = found.best.parameters, np.sqrt(np.diag(found.covariance))
    assert best.thickness_nm == pytest.approx(8.0, abs=0.15)
    assert best.mistilt_mrad == pytest.approx(TRUTH.mistilt_mrad, abs=0.15)
    assert best.center_px == pytest.approx(TRUTH.center_px, abs=0.4)
    assert best.pixel_mrad == pytest.approx(0.4, rel=0.005)
    assert best.rotation_deg == pytest.approx(25.0, abs=1.0)
    assert best.convergence_mrad == pytest.approx(14.0, abs=0.1)
    assert best.blur_mrad == pytest.approx(0.4, abs=0.1)
    assert 0 < std[0] < 0.1
    assert found.best.misfit == pytest.approx(found.noise, rel=0.3)


def test_a_refinement_stays_inside_the_table(model):
    for thickness in (0.25, model.renderer.table.thickness_max_nm - 0.15):
        end = fit(model, replace(TRUTH, thickness_nm=thickness, blur_mrad=0.0), PRIORS, steps=2).parameters
        assert 0.2 < end.thickness_nm < model.renderer.table.thickness_max_nm
        assert end.blur_mrad > 0


def test_slopes_agree_with_what_the_model_does(model):
    at = moved(TRUTH, 0.3 * AWAY)
    slopes = jacobian(model, at, PRIORS, 1.0)
    step = 0.6 * np.array([0.1, 0.05, -0.05, 0.05, 0.05, 0.2, 0.2, 0.05, 0.05])
    change = model.solve(moved(at, step))[1] - model.solve(at)[1]
    expected = slopes[: len(change)] @ step
    assert np.linalg.norm(change - expected) < 0.2 * np.linalg.norm(change)
    assert slopes[len(change) :].shape == (1, len(NAMES))
    assert slopes[-1, NAMES.index("convergence")] == pytest.approx(1 / 0.28)


def test_errors_are_of_the_size_of_the_standard_deviation(tiny_bundle, camera):
    """Twelve noisy recordings of one pattern: the scatter of the fits against the covariance of one."""
    found = []
    for seed in range(12):
        image = camera(electrons=2e6, seed=seed)
        view = View.around(image, (70.3, 84.6), 42.0, reach=1.3, pixels=60)
        model = ForwardModel(tiny_bundle.renderer, view)
        end = fit(model, TRUTH, PRIORS, steps=5).parameters
        covariance, area = estimate_covariance(model, end, PRIORS)
        found.append((end.thickness_nm, end.mistilt_mrad[0], *np.sqrt(np.diag(covariance))[:2], area))
    values = np.array(found)
    assert values[:, 4].max() < 3
    for column in (0, 1):
        ratio = values[:, column].std(ddof=1) / values[:, column + 2].mean()
        assert 0.4 < ratio < 2.0


def test_priors_settle_what_the_pattern_leaves_open(model):
    loose, _ = estimate_covariance(model, TRUTH, Priors(14.0))
    tight, _ = estimate_covariance(model, TRUTH, Priors(14.0, 1e-4, 0.4, 1e-4))
    convergence, pixel = NAMES.index("convergence"), NAMES.index("pixel")
    assert tight[convergence, convergence] < loose[convergence, convergence]
    assert np.sqrt(tight[convergence, convergence]) <= 1.01e-4
    assert np.sqrt(tight[pixel, pixel]) <= 1.01e-2  # per cent


def test_correlated_residuals_widen_the_errors(model):
    wrong = replace(TRUTH, thickness_nm=5.0)
    _, area = estimate_covariance(model, wrong, PRIORS)
    _, noise_only = estimate_covariance(model, TRUTH, PRIORS)
    assert area > 5 * noise_only


def test_noise_share_is_what_noise_leaves(model):
    assert noise_share(model) == pytest.approx(model.misfit(model.solve(TRUTH)[1]), rel=0.25)
