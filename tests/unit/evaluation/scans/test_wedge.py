import numpy as np
import pytest

from pacbed.evaluation.scans.wedge import CRYSTAL, GRAIN, HOLE, WedgeSettings, make_wedge

SETTINGS = WedgeSettings(
    shape=(6, 6), pixels=48, convergence_mrad=13.8, pixel_mrad=0.9, thickness_nm=(4.0, 7.0), step_nm=1.5, electrons=1e5
)


@pytest.fixture(scope="module")
def wedge(tiny_bundle):
    return make_wedge(tiny_bundle.renderer, tiny_bundle.renderer, SETTINGS)


def test_the_truth_says_where_there_is_what(wedge):
    assert {CRYSTAL, HOLE, GRAIN} == set(np.unique(wedge.kind))
    assert np.isfinite(wedge.thickness_nm[wedge.kind == CRYSTAL]).all()
    assert np.isnan(wedge.thickness_nm[wedge.kind != CRYSTAL]).all()
    assert wedge.thickness_nm[0, 0] == 4.0 and wedge.thickness_nm[5, 5] == 8.5


def test_patterns_hold_their_electrons(wedge):
    """A hole shows the whole beam, a crystal what it does not scatter out of the frame."""
    counts = wedge.patterns.sum(axis=(2, 3), dtype=float)
    assert counts[wedge.kind == HOLE] == pytest.approx(1e5, rel=0.02)
    assert (counts[wedge.kind == CRYSTAL] < 1.01e5).all() and (counts > 2e4).all()


def test_descan_moves_the_disk(wedge):
    row, column = np.indices((48, 48))
    for place in ((0, 0), (5, 5)):
        image = wedge.patterns[place].astype(float)
        seen = np.array([(image * column).sum(), (image * row).sum()]) / image.sum()
        assert seen == pytest.approx(wedge.center_px[place], abs=2.5)
    assert wedge.center_px[0, 0, 0] < wedge.center_px[0, 5, 0]


def test_a_seed_makes_the_same_scan(tiny_bundle, wedge):
    again = make_wedge(tiny_bundle.renderer, tiny_bundle.renderer, SETTINGS)
    np.testing.assert_array_equal(again.patterns, wedge.patterns)
