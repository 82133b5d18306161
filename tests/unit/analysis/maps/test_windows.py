import numpy as np
import pytest

from pacbed.analysis.maps import windows
from pacbed.analysis.maps.windows import Place, blocks_of, spread_places, window_patterns
from pacbed.analysis.recording.scan_file import ScanData
from pacbed.errors import PatternError


def scan_of(values):
    return ScanData(values, "film.npy")


@pytest.fixture
def counts():
    return np.random.default_rng(1).poisson(50.0, (5, 7, 32, 32)).astype(np.uint16)


@pytest.mark.parametrize("window", [1, 2, 3])
def test_a_window_is_the_mean_of_its_positions(counts, window):
    """Also at the edges, where fewer are left, and however the reading is divided."""
    scan = scan_of(counts)
    rows, columns = scan.windows(window)
    places = tuple(Place(row, column) for row in range(rows) for column in range(columns))
    found = {one.place: one.pattern for one in window_patterns(scan, places, window)}
    assert list(found) == list(places)
    for row, column in places:
        part = counts[row * window : (row + 1) * window, column * window : (column + 1) * window]
        np.testing.assert_allclose(found[row, column].array, part.mean(axis=(0, 1)), rtol=1e-6)


def test_how_much_is_read_at_once_changes_nothing(counts, monkeypatch):
    places = tuple(Place(0, column) for column in range(7))
    usual = [one.pattern.array for one in window_patterns(scan_of(counts), places, 1)]
    monkeypatch.setattr(windows, "READ_BYTES", 1.0)
    for one, expected in zip(window_patterns(scan_of(counts), places, 1), usual, strict=True):
        np.testing.assert_array_equal(one.pattern.array, expected)


def test_blocks_hold_every_window_once():
    places = [place for block in blocks_of((9, 35)) for place in block]
    assert sorted(places) == [Place(row, column) for row in range(9) for column in range(35)]


def test_places_are_spread_and_distinct():
    found = spread_places((20, 30), 48)
    assert len(set(found)) == len(found) == 48
    quarters = {(row // 10, column // 15) for row, column in found[:12]}
    assert len(quarters) == 4
    assert set(spread_places((2, 3), 48)) == {Place(row, column) for row in range(2) for column in range(3)}


class Damaged:
    """A scan one of whose positions cannot be read."""

    def __init__(self, values, error):
        self.values, self.error, self.shape, self.dtype = values, error, values.shape, values.dtype

    def __getitem__(self, key):
        if key[0].start <= 1 < key[0].stop and key[1].start <= 2 < key[1].stop:
            raise self.error
        return self.values[key]


@pytest.mark.parametrize("error", [OSError("chunk 17\nis damaged"), RuntimeError("blosc"), MemoryError(), KeyError(2)])
def test_a_window_that_cannot_be_read_comes_as_its_error(counts, error):
    """One line; those read with it are not lost."""
    places = tuple(Place(1, column) for column in range(5))
    found = list(window_patterns(scan_of(Damaged(counts, error)), places, 1))
    assert [isinstance(one.pattern, PatternError) for one in found] == [False, False, True, False, False]
    assert "\n" not in str(found[2].pattern)


def test_pixels_saturated_in_one_frame_count_as_saturated(camera):
    frames = np.stack([camera(seed=seed, electrons=2e6) for seed in range(4)]).astype(np.uint16)
    top = np.uint16(np.percentile(frames, 97))
    scan = scan_of(np.minimum(frames, top).reshape(2, 2, *frames.shape[1:]))
    (one,) = window_patterns(scan, (Place(0, 0),), 2)
    assert one.pattern.saturated.sum() > 20
