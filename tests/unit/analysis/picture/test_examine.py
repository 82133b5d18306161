import numpy as np
import pytest

from pacbed.analysis.picture.examine import examine
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.errors import PatternError
from pacbed.outline import find_outline


def test_a_clean_pattern_has_the_outline_it_had(recorded):
    image = recorded()
    picture = examine(Pattern(image))
    assert picture.outline == find_outline(image)
    assert picture.counts == {} and picture.defects == 0 and picture.unused_share == 0
    np.testing.assert_array_equal(picture.array, image)


def test_a_stray_spot_is_left_out(recorded):
    image, (row, column) = recorded(), np.indices((128, 128))
    spot = 9000 * np.exp(-0.5 * ((row - 50) ** 2 + (column - 75) ** 2) / 9)
    one, other = examine(Pattern(image)), examine(Pattern((image + spot).astype(np.float32)))
    assert set(other.counts) == {"stray objects"} and other.defects == other.counts["stray objects"]
    assert not other.used[spot > 60].any() and other.used.mean() > 0.9
    assert other.outline.radius_px == pytest.approx(one.outline.radius_px, rel=0.02)
    assert other.outline.center_px == pytest.approx(one.outline.center_px, abs=0.7)
    assert np.abs(other.array - image).max() < 900


def test_the_saturated_share_is_that_of_the_disk(recorded):
    image = recorded()
    top = float(np.percentile(image[40:90, 40:80], 75))
    picture = examine(Pattern(np.minimum(image, np.float32(top))))
    assert picture.saturated_share == pytest.approx(0.25, abs=0.06)
    assert picture.unused_share == picture.saturated_share


def test_a_mask_does_not_count_as_a_defect(recorded):
    masked = np.zeros((128, 128), dtype=bool)
    masked[:70, 60:68] = True
    picture = examine(Pattern(recorded()), masked)
    assert picture.counts == {"masked": 560} and picture.defects == 0
    assert 0 < picture.unused_share < 0.15


def test_pixels_saturated_before_averaging_are_known(recorded):
    known = np.zeros((128, 128), dtype=bool)
    known[60:70, 60:70] = True
    assert not examine(Pattern(recorded(), saturated=known)).used[60:70, 60:70].any()


def test_single_electrons_stay():
    counts = np.random.default_rng(5).poisson(0.004, (128, 128)).astype(np.float32)
    picture = examine(Pattern(counts))
    assert picture.array.sum() == counts.sum()
    assert np.isfinite(picture.outline.radius_px)


@pytest.mark.parametrize("edge", [0.0, 8.9999995])
def test_a_frame_whose_only_contrast_does_not_count_is_refused(edge):
    """A flat disk in padding, and values that differ by their rounding."""
    row, column = np.indices((64, 64))
    flat = np.where((row - 30) ** 2 + (column - 33) ** 2 < 81, 9.0, edge).astype(np.float32)
    with pytest.raises(PatternError, match="the value 9 in every pixel that counts"):
        examine(Pattern(flat))


def test_a_frame_too_long_to_hold_a_disk_is_refused():
    """A flipped bit in a header may make a frame a hundred times as wide."""
    image = np.zeros((64, 8256), dtype=np.float32)
    image[:, :60] = np.random.default_rng(0).poisson(50, (64, 60))
    with pytest.raises(PatternError, match="no bright region in 64 x 8256 pixels"):
        examine(Pattern(image))
