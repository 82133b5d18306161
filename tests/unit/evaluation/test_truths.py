import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.evaluation.truths import Stack, draw_direct_truths, draw_truths
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
        assert 2 <= at.thickness_nm <= 10 and 13 <= at.convergence_mrad <= 15


def test_truths_spread_over_the_thickness_range(truths):
    thickness = [truth.parameters.thickness_nm for truth in truths]
    assert np.histogram(thickness, bins=4, range=(2, 10))[0].min() >= 1


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


def test_an_aligned_pattern_lies_in_the_sector_of_the_stack(truths, stack, renderer, tiny_table):
    """It is the pattern of an equivalent mistilt, rendered in the frame of the stack."""
    sector = stack.azimuth_deg
    for truth in truths:
        at = truth.parameters
        frame = stack.aligned_frame(at.mistilt_mrad, tiny_table.group)
        moved = frame.to_image(np.array(at.mistilt_mrad))
        azimuth = np.rad2deg(np.arctan2(moved[1], moved[0]))
        assert sector.min() - 1e-6 <= azimuth <= sector.max() + 1e-6
        image = renderer.render(
            thickness_nm=at.thickness_nm, convergence_mrad=at.convergence_mrad, mistilt_mrad=moved, geometry=stack.frame
        )
        np.testing.assert_allclose(truth.aligned, image / image.max(), atol=2e-3)


def test_direct_truths_are_those_that_would_be_rendered(renderer, stack, srtio3_slices):
    (truth,) = draw_direct_truths(renderer, [srtio3_slices], stack, 1, rng=np.random.default_rng(5))
    at = truth.parameters
    assert at.thickness_nm / (srtio3_slices.period_a / 10) == pytest.approx(round(10 * at.thickness_nm / 3.90528))
    assert at.blur_mrad >= 0.3
    image = renderer.render(
        thickness_nm=at.thickness_nm, convergence_mrad=at.convergence_mrad, mistilt_mrad=at.mistilt_mrad,
        geometry=at.geometry(truth.camera.shape), blur_mrad=at.blur_mrad,
    )  # fmt: skip
    # Pixels of 1.4 mrad, which the renderer blurs and the sum does not.
    np.testing.assert_allclose(truth.camera, image / image.max(), atol=0.06)
    assert truth.in_field == pytest.approx(image.sum(), rel=0.01)


def test_incomplete_stack_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"done\.json"):
        Stack.load(tmp_path)
