import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.evaluation.truths import Stack, add_noise, draw_truths
from pacbed.learning.draws import series_split
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer


@pytest.fixture(scope="module")
def stack(parts):
    return Stack.load(parts["stack_dir"])


@pytest.fixture(scope="module")
def renderer(tiny_table):
    return Renderer(tiny_table)


@pytest.fixture(scope="module")
def truths(renderer, stack):
    return list(draw_truths(renderer, stack, 8, rng=np.random.default_rng(5)))


def test_truths_lie_in_held_out_series_and_off_the_grid(truths, stack, tiny_table):
    split = series_split(stack.folder, tiny_table.group)
    for truth in truths:
        at = truth.parameters
        held = split.is_held_out(np.array([at.convergence_mrad]), np.array([at.mistilt_mrad]))
        assert held.all()
        assert abs(at.thickness_nm - round(at.thickness_nm)) > 1e-6
        assert 1 <= at.thickness_nm <= 10 and 13 <= at.convergence_mrad <= 15


def test_truths_spread_over_the_thickness_range(truths):
    thickness = [truth.parameters.thickness_nm for truth in truths]
    assert np.histogram(thickness, bins=4, range=(1, 10))[0].min() >= 1


def test_camera_sees_the_parameters_it_is_labelled_with(truths, renderer):
    truth = truths[3]
    at = truth.parameters
    geometry = Geometry(truth.camera.shape, at.pixel_mrad, at.center_px, at.rotation_deg)
    image = renderer.render(
        thickness_nm=at.thickness_nm, convergence_mrad=at.convergence_mrad, mistilt_mrad=at.mistilt_mrad,
        geometry=geometry, blur_mrad=at.blur_mrad,
    )  # fmt: skip
    np.testing.assert_allclose(truth.camera, image / image.max(), atol=1e-6)
    assert truth.aligned.max() == pytest.approx(1)


def test_same_seed_same_truths_and_another_seed_others(renderer, stack, truths):
    again, other = (list(draw_truths(renderer, stack, 8, rng=np.random.default_rng(seed))) for seed in (5, 6))
    assert [truth.parameters for truth in again] == [truth.parameters for truth in truths]
    assert other[0].parameters != truths[0].parameters


def test_noise_has_the_stated_width():
    rng = np.random.default_rng(1)
    noise = add_noise(np.ones((200, 200)), 0.1, rng=rng) - 1
    assert noise.std() == pytest.approx(0.1, rel=0.02)


def test_incomplete_stack_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"done\.json"):
        Stack.load(tmp_path)
