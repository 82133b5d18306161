"""Measures on held-out patterns what the trained networks' answers are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np
from scipy.optimize import minimize_scalar

from pacbed.learning.feed import AZIMUTH, Feed
from pacbed.networks.azimuth import circular_std, mean_direction
from pacbed.networks.calibration import Calibration
from pacbed.networks.classes import TaskClasses
from pacbed.networks.peaks import main_peak, peak_width

BATCH = 256  # patterns asked about at once
NORMAL_90 = 1.6449  # half width of the central 90 % of a normal distribution, in standard deviations
PATTERNS_PER_BIN, BINS_MAX = 100, 16  # of the curve from the width of a peak to its error
TEMPERATURES = (0.2, 5.0)


class JudgedAnswers(NamedTuple):
    """Answers to the validation patterns, averaged as in a prediction.

    Attributes
    ----------
    probability : dict of ndarray, shape (pattern, class)
        By task [1].
    direction : ndarray of complex, shape (pattern,), or None
        Mean unit vectors of the mistilt's direction, x + iy.
    """

    probability: dict[str, np.ndarray]
    direction: np.ndarray | None


def ask_about_validation(network: keras.Model, feed: Feed) -> JudgedAnswers:
    """What a network answers to the validation patterns, averaged over the ways in which a prediction shows them."""
    if feed.turned is None:
        answers = network.predict(feed.inputs, batch_size=BATCH, verbose=0)
        return JudgedAnswers({task: np.asarray(found, dtype=float) for task, found in answers.items()}, None)
    sums: dict[str, np.ndarray] = {}
    direction: np.ndarray | None = None
    count = 0
    for way in feed.turned():
        answers = network.predict(way.inputs, batch_size=BATCH, verbose=0)
        count += 1
        if AZIMUTH in answers:
            seen = mean_direction(np.asarray(answers.pop(AZIMUTH), dtype=float))
            turned = np.abs(seen) * np.exp(1j * way.placement.image_azimuth(np.angle(seen)))
            direction = turned if direction is None else direction + turned
        for task, found in answers.items():
            sums[task] = sums.get(task, 0.0) + np.asarray(found, dtype=float)
    mean = {task: total / count for task, total in sums.items()}
    return JudgedAnswers(mean, None if direction is None else direction / count)


def calibrate(probability: np.ndarray, classes: TaskClasses, true_values: np.ndarray) -> Calibration:
    """Temperature with the lowest cross-entropy, and the curve from the width of the main peak to its error.

    Parameters
    ----------
    probability : ndarray, shape (pattern, class)
        Averaged as in a prediction [1].
    classes : TaskClasses
    true_values : ndarray, shape (pattern,)
        In the unit of the classes.
    """
    labels = classes.labels(true_values).astype(float)

    def cross_entropy(log_temperature: float) -> float:
        tempered = Calibration(float(np.exp(log_temperature))).probability(probability)
        return -float(np.mean(np.sum(labels * np.log(np.maximum(tempered, 1e-30)), axis=1)))

    found = minimize_scalar(cross_entropy, bounds=np.log(TEMPERATURES), method="bounded")
    temperature = float(np.exp(found.x))
    tempered = Calibration(temperature).probability(probability)
    width = peak_width(classes)
    peaks = [main_peak(row, classes.values, width=width) for row in tempered]
    values, stds = (np.array([getattr(peak, name) for peak in peaks]) for name in ("value", "std"))
    return error_curve(stds, np.abs(values - true_values), temperature=temperature)


def calibrate_direction(direction: np.ndarray, true_values: Mapping[str, np.ndarray]) -> Calibration:
    """Curve from the circular standard deviation of a direction to its error [rad].

    Parameters
    ----------
    direction : ndarray of complex, shape (pattern,)
        Mean unit vectors, x + iy.
    true_values : mapping
        Mistilts (x, y) at `AZIMUTH`, shape (pattern, 2) [mrad].
    """
    vector = true_values[AZIMUTH]
    error = np.abs(np.angle(direction * np.exp(-1j * np.arctan2(vector[:, 1], vector[:, 0]))))
    return error_curve(circular_std(direction), error)


def error_curve(std: np.ndarray, error: np.ndarray, *, temperature: float = 1.0) -> Calibration:
    """What answers of a stated width are worth: 90 % of their errors over 1.645, never falling with the width.

    Parameters
    ----------
    std : ndarray, shape (pattern,)
        Standard deviations that the answers state.
    error : ndarray, shape (pattern,)
        Sizes of their errors, in the same unit.
    temperature : float
        Of the probabilities behind them.
    """
    order = np.argsort(std, kind="stable")
    bins = np.array_split(order, min(BINS_MAX, max(1, len(std) // PATTERNS_PER_BIN)))
    middle = np.array([np.median(std[some]) for some in bins])
    worth = np.maximum.accumulate([np.quantile(error[some], 0.9) / NORMAL_90 for some in bins])
    middle, first = np.unique(middle, return_index=True)
    return Calibration(temperature, tuple(middle.tolist()), tuple(worth[first].tolist()))
