"""Peaks of a network's distribution over classes: values, widths, what they hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.networks.classes import TaskClasses

THICKNESS_WIDTH_NM = 3.0  # half width of a peak of thickness


@dataclass(frozen=True)
class Peak:
    """A peak of a distribution over classes.

    Attributes
    ----------
    value, std : float
        Mean and standard deviation, in units of the classes.
    probability : float
        What it holds.
    """

    value: float
    std: float
    probability: float


def main_peak(probability: np.ndarray, class_values: np.ndarray, *, width: float) -> Peak:
    """The highest peak and what lies within `width` of it; arguments as for `find_peaks`."""
    near = np.abs(class_values - class_values[np.argmax(probability)]) <= width
    weight = np.where(near, probability, 0)
    total = max(float(weight.sum()), 1e-30)
    mean = float(weight @ class_values) / total
    return Peak(mean, float(np.sqrt(weight @ (class_values - mean) ** 2 / total)), min(1.0, float(weight.sum())))


def find_peaks(
    probability: np.ndarray, class_values: np.ndarray, *, width: float, count: int, least: float
) -> tuple[Peak, ...]:
    """Up to `count` separate peaks of a distribution, likeliest first.

    Parameters
    ----------
    probability : float array, shape (class,)
        The distribution.
    class_values : float array, shape (class,)
        What the classes stand for.
    width : float
        Half width of a peak, in units of the classes.
    count : int
        How many at most; there is always one.
    least : float
        Least probability of a further one.
    """
    left = np.array(probability, dtype=float)
    padded = np.pad(left, 1)
    summit = (left >= padded[:-2]) & (left >= padded[2:])
    peaks: list[Peak] = []
    while left.any() and len(peaks) < 2 * count:
        peak, top = main_peak(left, class_values, width=width), int(np.argmax(left))
        if peaks and peak.probability < least:
            break
        if summit[top]:  # the shoulder of a peak already found is none
            peaks.append(peak)
        left[np.abs(class_values - class_values[top]) <= width] = 0
    return tuple(sorted(peaks, key=lambda peak: -peak.probability)[:count])


def peak_width(classes: TaskClasses) -> float:
    """Half width of the main peak of a task, in the unit of its classes; all classes count for the mistilt."""
    return {"thickness": THICKNESS_WIDTH_NM, "scale": 3 * classes.step, "mistilt": np.inf}[classes.task]
