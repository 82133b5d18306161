import numpy as np
import pytest

from pacbed.evaluation.noise import BOUND_READOUT, Noise, noise_levels


def test_gaussian_noise_is_that_of_pixels_of_200():
    rng = np.random.default_rng(1)
    fine, coarse = (Noise(0.1).record(np.ones((edge, edge)), rng=rng) - 1 for edge in (200, 100))
    assert fine.std() == pytest.approx(0.1, rel=0.02)
    assert coarse.std() == pytest.approx(0.05, rel=0.03)
    averages = fine.reshape(100, 2, 100, 2).mean(axis=(1, 3))
    assert averages.std() == pytest.approx(coarse.std(), rel=0.04)


def test_counts_have_the_mean_and_the_variance_of_poisson():
    image = np.zeros((60, 60))
    image[:30] = 1.0
    image[30:] = 0.25
    counts = np.stack([Noise(0.0, 9e4).record(image, rng=np.random.default_rng(seed)) for seed in range(40)])
    bright, dark = counts[:, :30], counts[:, 30:]
    assert bright.mean() == pytest.approx(40.0, rel=0.01) and bright.var() == pytest.approx(40.0, rel=0.03)
    assert dark.mean() == pytest.approx(10.0, rel=0.01) and dark.var() == pytest.approx(10.0, rel=0.03)
    assert counts.sum(axis=(1, 2)).mean() == pytest.approx(9e4, rel=0.002)
    assert np.all(counts == np.round(counts))


def test_the_same_seed_records_the_same():
    image = np.random.default_rng(0).random((8, 8))
    for noise in (Noise(0.1), Noise(0.0, 1e4)):
        first, again, other = (noise.record(image, rng=np.random.default_rng(seed)) for seed in (4, 4, 5))
        assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.array_equal(Noise().record(image, rng=np.random.default_rng(1)), image.astype(np.float32))


def test_levels_are_named_and_ordered():
    levels = noise_levels([0.1, 0.0], [1e4, 250_000.0])
    assert [level.label for level in levels] == ["0", "0.1", "2.5e5 e", "1e4 e"]
    assert [level.none for level in levels] == [True, False, False, False]


def test_the_floor_is_told_the_electrons_of_the_beam():
    assert Noise(0.1).of_floor(100, 0.8) == {"noise": 0.05}
    assert Noise(0.0, 4e4).of_floor(100, 0.8)["electrons"] == (5e4, BOUND_READOUT)
