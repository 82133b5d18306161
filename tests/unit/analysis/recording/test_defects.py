import numpy as np
import pytest

from pacbed.analysis.recording.defects import repair


def test_defects_are_replaced_and_nothing_else(camera):
    clean = camera()
    spoilt = clean.copy()
    spots = [(10, 10), (80, 70), (150, 3)]
    for row, column in spots:
        spoilt[row, column] = 60000
    spoilt[60, 60] = np.nan
    repaired, count = repair(spoilt)
    assert count == 4
    assert np.isfinite(repaired).all()
    untouched = np.ones(clean.shape, dtype=bool)
    for row, column in [*spots, (60, 60)]:
        untouched[row, column] = False
        assert repaired[row, column] == pytest.approx(
            np.median(clean[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]), rel=0.5
        )
    np.testing.assert_array_equal(repaired[untouched], clean[untouched])


def test_sparse_electrons_are_no_defects():
    counts = np.random.default_rng(2).poisson(0.05, (128, 128)).astype(np.float32)
    assert repair(counts)[1] < 20
