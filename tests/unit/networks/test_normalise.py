"""The networks' inputs do not depend on the camera: gain, offset, hot pixels, number format."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.networks.inputs import CLIP, convergence_input, network_input, normalise_batch
from pacbed.patterns import Geometry


@pytest.fixture(scope="module")
def pattern(tiny_table):
    from pacbed.simulation.rendering.renderer import Renderer

    geometry = Geometry.field_of_view(64, 21.0)
    return Renderer(tiny_table).render(thickness_nm=9.0, convergence_mrad=13.0, geometry=geometry)


def test_levels(pattern):
    """Outside the disk -1; most of the disk near 1; nothing beyond the clip."""
    seen = network_input(pattern, task="thickness")
    assert seen.dtype == np.float32
    assert seen[0, 0] == pytest.approx(-1.0, abs=0.02)
    assert np.quantile(seen, 0.98) == pytest.approx(1.0, abs=0.1)
    assert CLIP[0] <= seen.min()
    assert seen.max() <= CLIP[1]


@pytest.mark.parametrize(("gain", "offset"), [(1e-7, 0.0), (3.0, -40.0), (6e4, 1e3)])
def test_gain_and_offset_do_not_matter(pattern, gain, offset):
    camera = gain * pattern.astype(float) + offset
    np.testing.assert_allclose(network_input(camera, task="scale"), network_input(pattern, task="scale"), atol=2e-4)


def test_integer_camera(pattern):
    counts = np.round(pattern / pattern.max() * 60_000).astype(np.uint16)
    np.testing.assert_allclose(network_input(counts, task="mistilt"), network_input(pattern, task="mistilt"), atol=1e-3)


def test_hot_and_dead_pixels_change_only_themselves(pattern):
    spoilt = pattern.copy()
    spoilt[5, 9] = 1000 * pattern.max()
    spoilt[40, 30] = -pattern.max()
    difference = np.abs(network_input(spoilt, task="thickness") - network_input(pattern, task="thickness"))
    difference[5, 9] = difference[40, 30] = 0.0
    assert difference.max() < 0.05


def test_noise_does_not_stretch_the_levels(pattern):
    """Noise of a tenth of the maximum: the extremes of the pixels move by it, the levels by far less."""
    rng = np.random.default_rng(4)
    noisy = pattern + 0.1 * pattern.max() * rng.standard_normal(pattern.shape)
    difference = network_input(noisy, task="thickness") - network_input(pattern, task="thickness")
    # The dark level lies low in the noise: the whole image moves by less than one sigma (0.2 in these units).
    assert abs(np.median(difference)) < 0.2


def test_training_and_prediction_see_the_same(pattern):
    """`normalise_batch`, used in training, and `network_input`, used in prediction, agree."""
    other = np.roll(pattern, 3, axis=1) + np.float32(0.5 * pattern.max())
    batch = normalise_batch(np.stack([pattern, other]))
    for image, seen in zip((pattern, other), batch, strict=True):
        np.testing.assert_allclose(seen, network_input(image, task="thickness"), atol=1e-4)


@pytest.mark.parametrize(
    ("image", "task", "named"),
    [
        (np.zeros((16, 16)), "thickness", "image"),
        (np.full((16, 16), np.nan), "thickness", "NaN"),
        (np.ones((16, 12)), "thickness", "square"),
        (np.ones((3, 16, 16)), "thickness", "square"),
        (np.eye(16), "Thickness", "scale, thickness, mistilt"),
    ],
)
def test_refusals_name_what_is_wrong(image, task, named):
    with pytest.raises(ParameterError, match=named):
        network_input(image, task=task)


def test_convergence_input():
    seen = convergence_input(np.array([13.0, 14.0, 15.0]), center_mrad=14.0, half_width_mrad=1.0)
    np.testing.assert_allclose(seen, [[-1.0], [0.0], [1.0]])
    assert convergence_input(14.5, center_mrad=14.0, half_width_mrad=1.0).shape == (1, 1)
