"""Numbers that stand for no value."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.analysis.picture.examine import examine
from pacbed.analysis.recording.marks import marked
from pacbed.analysis.recording.pattern_file import pattern_from_array, read_pattern
from pacbed.analysis.recording.scan_file import open_scan

KINDS = ["uint16", "uint32", "int32", "float32", "float64"]


@pytest.fixture
def disk():
    """A counted disk, its maximum far below any mark."""
    row, column = np.indices((96, 96))
    return np.random.default_rng(1).poisson(np.where(np.hypot(row - 47, column - 50) < 30, 400, 40))


def gap(array):
    """Where modules of a camera meet."""
    found = np.zeros(array.shape, dtype=bool)
    found[50:56], found[:, 40:44] = True, True
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_between_modules_hold_no_values(disk, kind):
    mark = 2**32 - 1 if kind.startswith("float") else np.iinfo(kind).max
    written = np.where(gap(disk), mark, disk).astype(kind)
    pattern = pattern_from_array(written)
    assert np.array_equal(np.isnan(pattern.array), gap(disk))
    picture = examine(pattern)
    assert not picture.used[gap(disk)].any()
    assert picture.outline.center_px == pytest.approx((50, 47), abs=0.5)
    assert picture.outline.radius_px == pytest.approx(30, rel=0.02)


def test_what_is_saturated_is_no_mark(disk):
    """Counts of all sizes lie below a ceiling."""
    written = np.minimum(disk * 180, 65535).astype(np.uint16)
    assert (written == 65535).sum() > 100
    assert marked(written) is None
    assert np.isfinite(pattern_from_array(written).array).all()


@pytest.mark.parametrize("values", [np.full((8, 8), 65535), np.arange(64), np.full(4, 255, np.uint8)])
def test_other_numbers_are_values(values):
    assert marked(values) is None


@pytest.mark.parametrize("kind", ["uint16", "uint32"])
def test_the_mean_of_a_window_has_none_where_no_frame_has_one(disk, tmp_path, kind):
    frames = np.stack([np.roll(disk, shift, axis=1) for shift in range(6)]).reshape(2, 3, *disk.shape)
    np.save(tmp_path / "a.npy", np.where(gap(disk), np.iinfo(kind).max, frames).astype(kind))
    with open_scan(tmp_path / "a.npy") as scan:
        found = scan.mean(0, 0, 3)
    assert np.array_equal(np.isnan(found), gap(disk))
    np.testing.assert_allclose(found[~gap(disk)], frames.mean(axis=(0, 1))[~gap(disk)], rtol=1e-6)
    assert np.isnan(read_pattern(tmp_path / "a.npy", frame=(1, 2)).array).sum() == gap(disk).sum()
