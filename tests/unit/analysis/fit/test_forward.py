from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.outline import Outline
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS


def test_truth_fits_to_noise_and_nothing_else_does(model, truth):
    best = model.misfit(model.residual(truth))
    assert best < 0.04
    for step in np.diag([0.8, 0.8, 0.8, 0.8, 0.8, 3, 8, 0.6, 0.5, 3, 3]):
        assert model.misfit(model.residual(truth.moved(step))) > 1.05 * best


def test_linear_part_recovers_gain_and_background(tiny_bundle, truth):
    """An image made of the model's own columns gives their coefficients back, and no residual."""
    image = np.random.default_rng(0).random((64, 64))
    cutout = Cutout.around(image, Outline((32.0, 32.0), 22.0, 1.0, 1.0), reach=1.3, pixels=60)
    at = replace(truth, center_px=(32.0, 32.0), pixel_mrad=0.65)
    coefficients = np.array([2.0, -0.3, 0.4, 0.7])
    rendered = ForwardModel(tiny_bundle.renderer, cutout).render(at)
    values = np.tensordot(coefficients, np.concatenate([rendered[None], cutout.background]), axes=1)
    model = ForwardModel(tiny_bundle.renderer, replace(cutout, values=values))
    found, residual = model.solve(at)[:2]
    assert found == pytest.approx(coefficients, rel=1e-3)
    assert np.abs(residual).max() < 1e-4
    np.testing.assert_allclose(model.image(at), values, atol=1e-4)


def test_gain_and_background_never_go_negative(tiny_bundle, model, truth):
    upside_down = ForwardModel(tiny_bundle.renderer, replace(model.cutout, values=-model.cutout.values))
    coefficients = upside_down.solve(truth).coefficients
    assert coefficients[0] == 0
    assert (coefficients[2:] >= 0).all()


def test_mistilt_beyond_the_table_is_drawn_back_to_its_edge(model, truth):
    far = model.render(replace(truth, mistilt_mrad=(30.0, 0.0)))
    farther = model.render(replace(truth, mistilt_mrad=(60.0, 0.0)))
    np.testing.assert_array_equal(far, farther)


def test_the_model_is_the_sum_it_is_said_to_be(model, truth):
    """Pixel by pixel: gain times rendered pattern, a constant, Gaussians of the distance from the bright region."""
    gain, constant, *weights = model.solve(truth).coefficients
    rendered, whole, mask = model.render(truth), model.image(truth), model.cutout.mask
    assert rendered[mask].mean() == pytest.approx(1.0)
    row, column = np.indices(mask.shape)
    center = np.average(column[mask]), np.average(row[mask])  # of the circle that counts
    radius = np.sqrt(mask.sum() / np.pi) / 1.3  # of the bright region
    for y, x in ((10, 20), (25, 31), (33, 12), (40, 44)):
        distance = np.hypot(x - center[0], y - center[1]) / radius
        broad = [np.exp(-(distance**2) / (2 * width**2)) for width in BACKGROUND_WIDTHS]
        direct = gain * rendered[y, x] + constant + sum(w * shape for w, shape in zip(weights, broad, strict=True))
        assert whole[y, x] == pytest.approx(direct, abs=5e-3)


def test_the_pattern_is_rendered_at_the_angles_of_the_recorded_pixels(tiny_bundle, model, truth):
    """A few pixels of the cut-out, each rendered alone as a camera of one pixel."""
    cutout, scale = model.cutout, None
    geometry = cutout.geometry(truth, mirrored=False)
    image = model.render(truth)
    for y, x in ((12, 25), (25, 25), (37, 18)):
        alone = replace(geometry, shape=(1, 1), center_px=(geometry.center_px[0] - x, geometry.center_px[1] - y))
        value = tiny_bundle.renderer.render(
            thickness_nm=8.0, convergence_mrad=14.0, geometry=alone, mistilt_mrad=truth.mistilt_mrad,
        )[0, 0]  # fmt: skip
        unblurred = model.render(replace(truth, blur_mrad=0.0))[y, x]
        scale = scale or value / unblurred
        assert value / unblurred == pytest.approx(scale, rel=2e-3)
    assert np.abs(image / model.render(replace(truth, blur_mrad=0.0)) - 1).max() > 0.01, "the blur does something"


def test_no_other_gain_and_background_leaves_less(model, truth):
    """The projected residual is the smallest over the linear part."""
    best = model.solve(truth)
    columns = np.column_stack([model.render(truth)[model.cutout.mask], model.cutout.background[:, model.cutout.mask].T])
    target = model.cutout.values[model.cutout.mask]
    np.testing.assert_allclose(best.residual, target - columns @ best.coefficients, atol=1e-12)
    for step in np.vstack([np.eye(4), -np.eye(4)]):
        other = target - columns @ (best.coefficients + 0.01 * step)
        if (best.coefficients + 0.01 * step)[[0, 2, 3]].min() >= 0:
            assert np.linalg.norm(other) > np.linalg.norm(best.residual)


def test_misfit_is_one_for_a_pattern_that_explains_nothing(model):
    target = model.cutout.values[model.cutout.mask]
    assert model.misfit(target - target.mean()) == pytest.approx(1.0)
    assert model.misfit(np.zeros_like(target)) == 0.0


def test_a_pattern_is_a_sharp_one_blurred(tiny_bundle, model, truth):
    """The blur of the model is that of the renderer."""
    geometry = model.cutout.geometry(truth, mirrored=False)
    rendered = tiny_bundle.renderer.render(
        thickness_nm=8.0, convergence_mrad=14.0, geometry=geometry, mistilt_mrad=truth.mistilt_mrad, blur_mrad=0.4
    )
    expected = rendered / rendered[model.cutout.mask].mean()
    np.testing.assert_allclose(model.render(truth), expected, rtol=1e-5)


def test_what_the_linear_part_takes_up_is_no_change_of_the_residual(model, truth):
    """Changes of the pattern by itself or by the background vanish; the rest is orthogonal to both."""
    best = model.solve(truth)
    other = model.render(replace(truth, thickness_nm=6.0))
    slopes = model.projected(np.stack([best.pattern, model.cutout.background[0], other]), best)
    assert np.abs(slopes[:, :2]).max() < 1e-6
    assert np.linalg.norm(slopes[:, 2]) > 0.1
    columns = np.concatenate([best.pattern[None], model.cutout.background])[:, model.cutout.mask]
    free = best.coefficients > 0
    assert np.abs(columns[free] @ slopes[:, 2]).max() < 1e-6 * np.linalg.norm(columns)
