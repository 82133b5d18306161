from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.forward import ForwardModel, Parameters, View, differ, moved
from pacbed.analysis.recording.outline import find_outline

TRUTH = Parameters(
    8.0, tuple(2.0 * np.array([np.cos(np.deg2rad(70)), np.sin(np.deg2rad(70))])), (70.3, 84.6), 0.4, 25.0, 14.0, 0.4
)


@pytest.fixture(scope="module")
def model(tiny_bundle, camera):
    image = camera()
    outline = find_outline(image)
    view = View.around(image, outline.center_px, outline.radius_px, reach=1.3, pixels=50)
    return ForwardModel(tiny_bundle.renderer, view)


def test_view_keeps_track_of_where_its_pixels_lie(model):
    """A source on a recorded pixel appears at the same place in the view's own coordinates."""
    view = model.view
    geometry = view.geometry(TRUTH, mirrored=False)
    column = view.origin_px[0] + geometry.center_px[0] * view.factor + (view.factor - 1) / 2
    row = view.origin_px[1] + geometry.center_px[1] * view.factor + (view.factor - 1) / 2
    assert (column, row) == pytest.approx(TRUTH.center_px)
    assert geometry.pixel_mrad == pytest.approx(0.4 * view.factor)


def test_truth_fits_to_noise_and_nothing_else_does(model):
    best = model.misfit(model.solve(TRUTH)[1])
    assert best < 0.04
    for step in np.diag([0.8, 0.8, 0.8, 0.8, 0.8, 3, 8, 0.6, 0.5]):
        assert model.misfit(model.solve(moved(TRUTH, step))[1]) > 1.05 * best


def test_linear_part_recovers_gain_and_background(tiny_bundle):
    """An image made of the model's own columns gives their coefficients back, and no residual."""
    image = np.random.default_rng(0).random((64, 64))
    view = View.around(image, (32.0, 32.0), 22.0, reach=1.3, pixels=60)
    at = replace(TRUTH, center_px=(32.0, 32.0), pixel_mrad=0.65)
    coefficients = np.array([2.0, -0.3, 0.4, 0.7])
    rendered = ForwardModel(tiny_bundle.renderer, view).render(at)
    values = np.tensordot(coefficients, np.concatenate([rendered[None], view.background]), axes=1)
    model = ForwardModel(tiny_bundle.renderer, replace(view, values=values))
    found, residual = model.solve(at)
    assert found == pytest.approx(coefficients, rel=1e-3)
    assert np.abs(residual).max() < 1e-4
    np.testing.assert_allclose(model.image(at), values, atol=1e-4)


def test_gain_and_background_never_go_negative(tiny_bundle, model):
    upside_down = ForwardModel(tiny_bundle.renderer, replace(model.view, values=-model.view.values))
    coefficients, _ = upside_down.solve(TRUTH)
    assert coefficients[0] == 0
    assert (coefficients[2:] >= 0).all()


def test_mistilt_beyond_the_table_is_drawn_back_to_its_edge(model):
    far = model.render(replace(TRUTH, mistilt_mrad=(30.0, 0.0)))
    farther = model.render(replace(TRUTH, mistilt_mrad=(60.0, 0.0)))
    np.testing.assert_array_equal(far, farther)


def test_moved_displaces_in_the_stated_units():
    there = moved(TRUTH, np.array([1, 0.1, 0.2, 0.4, -0.4, 1, 5, 0.3, 0.1]))
    assert there.thickness_nm == 9.0
    assert np.array(there.mistilt_mrad) - TRUTH.mistilt_mrad == pytest.approx([0.1, 0.2])
    assert np.array(there.center_px) - TRUTH.center_px == pytest.approx([1.0, -1.0])
    assert there.pixel_mrad == pytest.approx(0.4 * np.exp(0.01))
    assert (there.rotation_deg, there.convergence_mrad, there.blur_mrad) == pytest.approx((30.0, 14.3, 0.5))


def test_solutions_are_compared_in_the_image():
    turned = replace(TRUTH, rotation_deg=115.0, mistilt_mrad=(TRUTH.mistilt_mrad[1], -TRUTH.mistilt_mrad[0]))
    assert not differ(TRUTH, turned, nm=0.1, mrad=0.01)
    assert differ(TRUTH, replace(TRUTH, rotation_deg=115.0), nm=0.1, mrad=0.5)
    assert differ(TRUTH, replace(TRUTH, thickness_nm=9.0), nm=0.5, mrad=1.0)
