import numpy as np
import pytest

from pacbed.analysis.picture.repair import repair
from pacbed.errors import PatternError


def test_defects_are_replaced_and_nothing_else(camera):
    clean = camera()
    spoilt = clean.copy()
    spots = [(10, 10), (80, 70), (150, 3)]
    for row, column in spots:
        spoilt[row, column] = 60000
    spoilt[60, 60] = np.nan
    repaired = repair(spoilt)
    assert repaired.counts == {"missing": 1, "single pixels": 3}
    assert np.isfinite(repaired.array).all()
    untouched = np.ones(clean.shape, dtype=bool)
    for row, column in [*spots, (60, 60)]:
        untouched[row, column] = False
        about = clean[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        assert repaired.array[row, column] == pytest.approx(np.median(about), rel=0.5)
    np.testing.assert_array_equal(repaired.array[untouched], clean[untouched])
    np.testing.assert_array_equal(repaired.used, untouched)


def test_a_clean_pattern_stays_as_it_is(camera):
    clean = camera()
    repaired = repair(clean)
    np.testing.assert_array_equal(repaired.array, clean)
    assert repaired.counts == {} and repaired.used.all() and repaired.seen.all()


def test_each_kind_is_told_apart(recorded):
    image = recorded()
    image[20:24, 20:24] = np.nan
    image[:, 90] += 400
    image[70:76, 60:66] = 0
    masked = np.zeros(image.shape, dtype=bool)
    masked[:30, 60:66] = True
    repaired = repair(np.pad(image, 30), masked=np.pad(masked, 30))
    assert set(repaired.counts) == {"masked", "border", "missing", "dead or hot areas", "defective lines"}
    assert repaired.counts["masked"] == masked.sum() and repaired.counts["missing"] == 16
    assert (
        not repaired.used[30:60, 90:96].any() and not repaired.used[30:158, 120].any() and not repaired.seen[:20].any()
    )
    assert np.abs(repaired.array - np.pad(recorded(), 30))[100:106, 90:96].max() < 400


def test_saturated_pixels_are_left_out_and_keep_their_value(recorded):
    cut = np.minimum(recorded(), 550)
    known = np.zeros(cut.shape, dtype=bool)
    known[64, 64] = True
    repaired = repair(cut, saturated=known)
    np.testing.assert_array_equal(repaired.saturated, (cut == 550) | known)
    np.testing.assert_array_equal(repaired.used, ~repaired.saturated)
    np.testing.assert_array_equal(repaired.array, cut)


def test_a_mask_that_leaves_nothing_is_refused(recorded):
    with pytest.raises(PatternError, match="mask: got one that leaves no pixel"):
        repair(recorded(), masked=np.ones((128, 128), dtype=bool))
