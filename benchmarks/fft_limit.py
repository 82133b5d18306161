"""Speed limit of multislice on this machine: nothing but a batch of Fourier transforms there and back."""

from __future__ import annotations

import statistics
import time

import numpy as np
import scipy.fft

SECONDS = 2.0  # of each of three tries


def fft_pairs_per_second(grid: tuple[int, int], batch: int) -> float:
    """Transforms there and back of single waves per second on one core.

    Parameters
    ----------
    grid : two ints
        Points of one wave; single-precision complex numbers.
    batch : int
        Waves transformed together, as the plane-wave engine does.
    """
    rng = np.random.default_rng(1)
    wave = (rng.normal(size=(batch, *grid)) + 1j * rng.normal(size=(batch, *grid))).astype(np.complex64)
    rates = []
    for _ in range(4):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < SECONDS:
            wave = scipy.fft.ifft2(wave, axes=(1, 2), norm="forward", overwrite_x=True, workers=1)
            wave = scipy.fft.fft2(wave, axes=(1, 2), norm="forward", overwrite_x=True, workers=1)
            count += batch
        rates.append(count / (time.perf_counter() - start))
    return statistics.median(rates[1:])  # the first try warms up
