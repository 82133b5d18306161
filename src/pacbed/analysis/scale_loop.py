"""The loop that finds the pixel size with a Cartesian scale network, which sees a field of view in mrad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pacbed.bundle.meta import Preprocessing
from pacbed.networks.peaks import main_peak


@dataclass(frozen=True)
class ScaleLoop:
    """Where the rounds with the scale network led.

    Attributes
    ----------
    probability : float array, shape (class,)
        Its last answer.
    pixel_mrad, reference_pixel_mrad, scales, converged
        As in `pacbed.analysis.networks.NetworkAnswers`.
    """

    probability: np.ndarray
    pixel_mrad: float
    reference_pixel_mrad: float
    scales: tuple[float, ...]
    converged: bool


def correct_scale(
    ask: Callable[[float], np.ndarray], class_values: np.ndarray, pixel_mrad: float, settings: Preprocessing
) -> ScaleLoop:
    """Change the pixel size until the scale network says 1, damped as in eq. (1) of Oberaigner et al. 2023.

    Parameters
    ----------
    ask : callable
        Takes a pixel size [mrad], returns the network's class probabilities, shape (class,).
    class_values : float array, shape (class,)
        Scales of its classes.
    pixel_mrad : float
        First pixel size [mrad].
    settings : Preprocessing
        Number of rounds, and when they have converged.
    """
    rounds, scales = settings.scale_iterations, []
    width = 3 * float(np.diff(class_values).mean())
    for k in range(rounds):
        reference, probability = pixel_mrad, ask(pixel_mrad)
        scales.append(main_peak(probability, class_values, width=width).value)
        converged = abs(scales[-1] - 1) <= settings.scale_tolerance
        if converged:
            break
        pixel_mrad *= (k + (rounds - k) * scales[-1]) / rounds
    return ScaleLoop(probability, pixel_mrad, reference, tuple(scales), converged)
