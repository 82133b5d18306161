"""Speed limit of multislice on this machine: nothing but a batch of Fourier transforms there and back."""

from __future__ import annotations

import statistics
import time

import numpy as np

from pacbed.simulation.multislice.fourier import wave_transforms
from pacbed.simulation.multislice.plane_wave import WAVES

SECONDS = 2.0  # of each of three tries
PAIRS = 5  # without a pause; each multiplies by the number of points, and numbers must stay finite


def fft_pairs_per_second(grid: tuple[int, int]) -> float:
    """Transforms there and back of single waves per second on one core, with the engine's library and batch.

    Parameters
    ----------
    grid : two ints
        Points of one wave; single-precision complex numbers.
    """
    transforms, rng = wave_transforms((WAVES, *grid)), np.random.default_rng(1)
    noise = (rng.normal(size=(WAVES, *grid)) + 1j * rng.normal(size=(WAVES, *grid))).astype(np.complex64)
    rates = []
    for _ in range(4):
        wave, spent, count = transforms.wave, 0.0, 0
        while spent < SECONDS:
            wave[:] = noise
            start = time.perf_counter()
            for _ in range(PAIRS):
                wave = transforms.to_frequencies(transforms.to_space(wave))
            spent += time.perf_counter() - start
            count += PAIRS * WAVES
        rates.append(count / spent)
    return statistics.median(rates[1:])  # the first try warms up
