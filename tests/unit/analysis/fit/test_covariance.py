from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from pacbed.analysis.fit.covariance import (
    CORRELATED,
    WIDEST,
    Covariance,
    correlation_area,
    estimate_covariance,
    noise_share,
)
from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import NAMES
from pacbed.analysis.fit.refinement import fit
from pacbed.analysis.fit.restraints import Restraints
from pacbed.outline import Outline

RESTRAINTS = Restraints(14.0, 0.28)
SIGMA = 0.03  # of the noise below, over the bright level


@pytest.fixture(scope="module")
def noisy(tiny_bundle, truth):
    """Function that makes a forward model of the truth, on 45 pixels, with Gaussian noise of known sigma."""
    at = replace(truth, center_px=(24.2, 23.6), pixel_mrad=0.8)
    geometry = at.geometry((48, 48))
    clean = tiny_bundle.renderer.render(
        thickness_nm=at.thickness_nm, convergence_mrad=14.0, geometry=geometry, mistilt_mrad=at.mistilt_mrad,
        blur_mrad=at.blur_mrad,
    )  # fmt: skip
    clean = clean / np.percentile(clean, 98)

    def make(seed, sigma=SIGMA):
        image = clean + sigma * np.random.default_rng(seed).standard_normal(clean.shape)
        return at, ForwardModel(
            tiny_bundle.renderer, Cutout.around(image, Outline((24.2, 23.6), 17.5, 3.0, 1.0), pixels=48)
        )

    return make


def test_pulls_have_a_spread_near_one(noisy):
    """Fits of 12 noisy patterns: errors over their own error bars, for the unknowns a user reads."""
    pulls, areas = [], []
    for seed in range(12):
        at, model = noisy(seed)
        end = fit(model, at, RESTRAINTS, steps=5).parameters
        covariance = estimate_covariance(model, end, RESTRAINTS)
        std = covariance.std
        areas.append(covariance.correlation_pixels)
        pulls.append(
            [
                (end.thickness_nm - at.thickness_nm) / std.thickness_nm,
                (end.mistilt_mrad[0] - at.mistilt_mrad[0]) / std.mistilt_x_mrad,
                (end.mistilt_mrad[1] - at.mistilt_mrad[1]) / std.mistilt_y_mrad,
                (end.rotation_deg - at.rotation_deg) / std.rotation_deg,
            ]
        )
    # 12 draws of 4 unknowns: the spread of one column is known to 20 %, that of all together to 10 %.
    assert np.sqrt(np.mean(np.square(pulls))) == pytest.approx(1.0, abs=0.3)
    assert np.all(np.std(pulls, axis=0) < 1.7)
    assert np.all(np.std(pulls, axis=0) > 0.4)
    assert max(areas) < 2.5


def test_error_bars_grow_with_the_noise(noisy):
    """Without restraints the error bar is proportional to the residuals."""
    little, much = (estimate_covariance(model, at, Restraints(14.0)) for at, model in (noisy(1), noisy(1, 3 * SIGMA)))
    assert much.std.thickness_nm / little.std.thickness_nm == pytest.approx(3.0, rel=0.25)


def test_restraints_settle_what_the_pattern_leaves_open(model, truth):
    loose = estimate_covariance(model, truth, Restraints(14.0)).std
    tight = estimate_covariance(model, truth, Restraints(14.0, 1e-4, 0.4, 1e-4)).std
    assert tight.convergence_mrad < loose.convergence_mrad
    assert tight.convergence_mrad <= 1.01e-4
    assert tight.pixel_percent <= 1.01e-2


def test_correlated_residuals_widen_the_errors(model, truth):
    wrong = estimate_covariance(model, replace(truth, thickness_nm=5.0), RESTRAINTS)
    right = estimate_covariance(model, truth, RESTRAINTS)
    assert wrong.correlation_pixels > 5 * right.correlation_pixels


def test_the_error_bar_does_not_jump_when_the_residual_changes_a_little(model, truth):
    """A wrong thickness leaves correlated residuals; from one to the next, their area changes by little steps."""
    areas = []
    for wrong in np.linspace(5.0, 5.6, 7):
        at = replace(truth, thickness_nm=float(wrong))
        areas.append(correlation_area(model, model.residual(at)))
    assert np.abs(np.diff(np.log(areas))).max() < 0.1


def test_the_area_of_known_correlations(noisy):
    """White noise: one pixel. Smoothed by a Gaussian of s pixels: 4 pi s² pixels, less what the taper takes."""
    _, model = noisy(1)
    mask = model.cutout.mask
    white = np.random.default_rng(4).standard_normal(mask.shape)
    assert correlation_area(model, white[mask]) < 1.6
    width = CORRELATED * np.sqrt(mask.sum() / np.pi) / 1.35
    areas = []
    for seed in range(12):
        smooth = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(mask.shape), 1.5)[mask]
        areas.append(correlation_area(model, smooth))
    assert np.mean(areas) == pytest.approx(4 * np.pi * 1.5**2 / (1 + 2 * 1.5**2 / width**2), rel=0.3)


def test_noise_share_is_what_noise_leaves(model, truth, noisy):
    assert noise_share(model) == pytest.approx(model.misfit(model.residual(truth)), rel=0.25)
    _, known = noisy(3)
    pixels = int(known.cutout.mask.sum())
    bright = np.percentile(known.cutout.values, 98)  # sigma is in units of the bright level
    assert noise_share(known) == pytest.approx(known.misfit(np.full(pixels, SIGMA * bright)), rel=0.3)


def test_parts_of_a_covariance_are_asked_for_by_name():
    count = len(NAMES)
    matrix = np.arange(float(count**2)).reshape(count, count)
    covariance = Covariance(matrix + matrix.T + 200 * np.eye(count), 1.0)
    assert covariance.std.rotation_deg == pytest.approx(np.sqrt(covariance.matrix[6, 6]))
    chosen = covariance.of("rotation_deg", "thickness_nm")
    assert chosen.tolist() == [
        [covariance.matrix[6, 6], covariance.matrix[6, 0]],
        [covariance.matrix[0, 6], covariance.matrix[0, 0]],
    ]
    assert NAMES[:9].index("rotation_deg") == 6


def test_a_variance_below_zero_by_rounding_is_none():
    assert Covariance(-1e-20 * np.eye(len(NAMES)), 1.0).std.thickness_nm == 0.0


def test_what_leaves_no_trace_keeps_a_finite_error_bar(noisy):
    """A blur much finer than a pixel changes nothing in the picture, and hides no error of the thickness."""
    at, model = noisy(1)
    sharp = replace(at, blur_mrad=0.02)
    covariance = estimate_covariance(model, sharp, RESTRAINTS)
    assert np.linalg.eigvalsh(covariance.matrix).min() > 0
    assert covariance.std.blur_mrad == pytest.approx(WIDEST.blur_mrad, rel=0.1)
    assert covariance.std.thickness_nm < 0.05 * WIDEST.thickness_nm
