"""The networks' inputs do not depend on the camera: gain, offset, hot pixels, number format."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.networks.inputs import (
    CLIP,
    ConvergenceNormalisation,
    named_inputs,
    normalise_pattern,
    normalise_patterns,
)
from pacbed.patterns import Geometry


@pytest.fixture(scope="module")
def pattern(tiny_table):
    from pacbed.simulation.rendering.renderer import Renderer

    geometry = Geometry.field_of_view(64, 21.0)
    return Renderer(tiny_table).render(thickness_nm=9.0, convergence_mrad=13.0, geometry=geometry)


def test_levels(pattern):
    """Outside the disk -1; most of the disk near 1; nothing beyond the clip."""
    seen = normalise_pattern(pattern)
    assert seen.dtype == np.float32
    assert seen[0, 0] == pytest.approx(-1.0, abs=0.02)
    assert np.quantile(seen, 0.98) == pytest.approx(1.0, abs=0.1)
    assert CLIP[0] <= seen.min()
    assert seen.max() <= CLIP[1]


@pytest.mark.parametrize(("gain", "offset"), [(1e-7, 0.0), (3.0, -40.0), (6e4, 1e3)])
def test_gain_and_offset_do_not_matter(pattern, gain, offset):
    camera = gain * pattern.astype(float) + offset
    np.testing.assert_allclose(normalise_pattern(camera), normalise_pattern(pattern), atol=2e-4)


def test_integer_camera(pattern):
    counts = np.round(pattern / pattern.max() * 60_000).astype(np.uint16)
    np.testing.assert_allclose(normalise_pattern(counts), normalise_pattern(pattern), atol=1e-3)


def test_hot_and_dead_pixels_change_only_themselves(pattern):
    spoilt = pattern.copy()
    spoilt[5, 9] = 1000 * pattern.max()
    spoilt[40, 30] = -pattern.max()
    difference = np.abs(normalise_pattern(spoilt) - normalise_pattern(pattern))
    difference[5, 9] = difference[40, 30] = 0.0
    assert difference.max() < 0.05


def test_noise_does_not_stretch_the_levels(pattern):
    """Noise of a tenth of the maximum: the extremes of the pixels move by it, the levels by far less."""
    rng = np.random.default_rng(4)
    noisy = pattern + 0.1 * pattern.max() * rng.standard_normal(pattern.shape)
    difference = normalise_pattern(noisy) - normalise_pattern(pattern)
    # The dark level lies low in the noise: the whole image moves by less than one sigma (0.2 in these units).
    assert abs(np.median(difference)) < 0.2


def test_training_and_prediction_see_the_same(pattern):
    """`normalise_patterns`, used in training, and `normalise_pattern`, used in prediction, agree."""
    other = np.roll(pattern, 3, axis=1) + np.float32(0.5 * pattern.max())
    batch = normalise_patterns(np.stack([pattern, other]))
    for image, seen in zip((pattern, other), batch, strict=True):
        np.testing.assert_allclose(seen, normalise_pattern(image), atol=1e-4)


def test_levels_are_quantiles_of_the_averaged_image():
    """Against a slow reading of the definition, pixel by pixel."""
    image = np.random.default_rng(7).gamma(2.0, size=(20, 20)).astype(np.float32)
    averaged = sorted(image[y - 1 : y + 2, x - 1 : x + 2].mean() for y in range(1, 19, 2) for x in range(1, 19, 2))
    dark, bright = averaged[round(0.02 * 80)], averaged[round(0.98 * 80)]
    expected = np.clip(2 * (image - dark) / (bright - dark) - 1, *CLIP)
    np.testing.assert_allclose(normalise_patterns(image[None])[0], expected, atol=1e-5)
    assert (expected == CLIP[1]).any()  # the clip is part of what is compared


def test_turning_a_pattern_turns_what_is_seen():
    """An odd number of averaged pixels is the same grid after a turn."""
    image = np.random.default_rng(8).random((17, 17))
    np.testing.assert_allclose(normalise_pattern(np.rot90(image)), np.rot90(normalise_pattern(image)), atol=1e-6)


def test_patterns_of_a_batch_have_their_own_levels(pattern):
    alone = normalise_patterns(pattern[None])[0]
    together = normalise_patterns(np.stack([1000 * pattern, pattern]).astype(np.float32))
    np.testing.assert_allclose(together[1], alone, atol=1e-6)
    np.testing.assert_allclose(together[0], alone, atol=1e-3)


def test_a_flat_pattern_of_a_batch_stays_finite():
    """A training pattern may be empty; a prediction refuses it before."""
    seen = normalise_patterns(np.zeros((1, 16, 16), dtype=np.float32))
    assert np.isfinite(seen).all()


def test_the_image_itself_stays(pattern):
    before = pattern.copy()
    normalise_pattern(pattern)
    normalise_patterns(pattern[None])
    assert np.array_equal(pattern, before)


@pytest.mark.parametrize(
    ("image", "named"),
    [
        (np.zeros((16, 16)), "image: got 'the same value everywhere', accepted: a pattern"),
        (np.full((16, 16), np.nan), "image: got 'NaN or infinite pixels', accepted: finite intensities"),
        (np.where(np.eye(16) > 0, np.inf, 0.0), "image: got 'NaN or infinite pixels'"),
        (np.ones((16, 12)), r"image: got 'shape \(16, 12\)', accepted: a square image of at least 8 x 8 pixels"),
        (np.eye(7), r"image: got 'shape \(7, 7\)', accepted: a square image"),
        (np.ones((3, 16, 16)), "square"),
    ],
)
def test_refusals_name_what_is_wrong(image, named):
    with pytest.raises(ParameterError, match=named):
        normalise_pattern(image)


def test_convergence_angles_run_from_minus_one_to_one():
    grid = ConvergenceNormalisation.spanning([13.0, 14.0, 15.0])
    np.testing.assert_allclose(grid.normalise(np.array([13.0, 14.0, 15.0])), [[-1.0], [0.0], [1.0]])
    assert grid.normalise(14.5).shape == (1, 1)
    assert grid.normalise(14.5).dtype == np.float32


@pytest.mark.parametrize("angles", [[20.0], [19.9, 20.1]])
def test_a_narrow_range_of_angles_is_not_blown_up(angles):
    """One angle leaves no range to divide by; half a degree of a user's error must not become a large number."""
    grid = ConvergenceNormalisation.spanning(angles)
    assert (grid.center_mrad, grid.half_width_mrad) == (20.0, 1.0)


def test_inputs_have_the_names_and_axes_of_the_networks(pattern):
    inputs = named_inputs(np.stack([pattern, pattern.T]), np.array([[0.5], [1.0]], dtype=np.float32))
    assert sorted(inputs) == ["convergence", "pattern"]
    assert inputs["pattern"].shape == (2, 64, 64, 1)
    assert np.array_equal(inputs["pattern"][1, :, :, 0], pattern.T)
    assert inputs["convergence"].tolist() == [[0.5], [1.0]]
