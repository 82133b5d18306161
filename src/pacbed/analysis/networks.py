"""What the three networks say about a pattern: pixel size, thickness candidates, mistilt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from pacbed.analysis.recording.outline import Outline
from pacbed.analysis.recording.resampling import resample
from pacbed.bundle.meta import Preprocessing
from pacbed.networks.trained import TrainedNetwork
from pacbed.patterns import Geometry


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


@dataclass(frozen=True)
class NetworkAnswers:
    """What the three networks answer.

    Attributes
    ----------
    probabilities : dict
        Class probabilities by task, arrays of shape (class,).
    candidates : tuple of Peak
        Thickness [nm], likeliest first.
    mistilt : Peak
        Magnitude [mrad].
    pixel_mrad : float
        Pixel size after the scale loop [mrad].
    reference_pixel_mrad : float
        Pixel size that counted as scale 1 when the scale network was asked last [mrad].
    scales : tuple of float
        What the scale network said in each round.
    scale_converged : bool
        The last of them lies near 1.
    """

    probabilities: dict[str, np.ndarray]
    candidates: tuple[Peak, ...]
    mistilt: Peak
    pixel_mrad: float
    reference_pixel_mrad: float
    scales: tuple[float, ...]
    scale_converged: bool


@dataclass(frozen=True)
class ScaleLoop:
    """Where the rounds with the scale network led.

    Attributes
    ----------
    probability : float array, shape (class,)
        Its last answer.
    pixel_mrad, reference_pixel_mrad, scales, converged
        As in `NetworkAnswers`.
    """

    probability: np.ndarray
    pixel_mrad: float
    reference_pixel_mrad: float
    scales: tuple[float, ...]
    converged: bool


def ask_networks(
    networks: Mapping[str, TrainedNetwork],
    array: np.ndarray,
    outline: Outline,
    *,
    convergence_mrad: float,
    pixel_mrad: float,
    settings: Preprocessing,
    mirrored: bool = False,
) -> NetworkAnswers:
    """Correct the pixel size with the scale network, then ask the other two.

    Parameters
    ----------
    networks : mapping
        The three networks, by task.
    array : float array, shape (y, x)
        Repaired counts.
    outline : Outline
        Bright region; its centre is the centre of the networks' images.
    convergence_mrad : float
        Semi-convergence angle [mrad].
    pixel_mrad : float
        First pixel size [mrad].
    settings : Preprocessing
        From the bundle.
    mirrored : bool
        The camera shows the pattern mirrored.
    """

    def ask(task: str, pixel: float) -> np.ndarray:
        network = networks[task]
        target = Geometry.field_of_view(network.pixels, network.max_angle_mrad)
        source = Geometry(array.shape, pixel, outline.center_px, 0.0, mirrored)
        return network.probability(resample(array, source, target), convergence_mrad)

    loop = _correct_scale(partial(ask, "scale"), networks["scale"].class_values, pixel_mrad, settings)
    thickness, mistilt = (ask(task, loop.pixel_mrad) for task in ("thickness", "mistilt"))
    return NetworkAnswers(
        probabilities={"scale": loop.probability, "thickness": thickness, "mistilt": mistilt},
        candidates=find_peaks(
            thickness,
            networks["thickness"].class_values,
            width=settings.candidate_width_nm,
            count=settings.candidates,
            least=settings.candidate_probability,
        ),
        mistilt=main_peak(mistilt, networks["mistilt"].class_values, width=np.inf),
        pixel_mrad=loop.pixel_mrad,
        reference_pixel_mrad=loop.reference_pixel_mrad,
        scales=loop.scales,
        scale_converged=loop.converged,
    )


def _correct_scale(
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
