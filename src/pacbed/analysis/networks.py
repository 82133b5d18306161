"""What the three networks say about a pattern: pixel size, thickness candidates, mistilt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pacbed.analysis.recording.outline import Outline, resample
from pacbed.bundle.meta import Preprocessing
from pacbed.networks.trained import TrainedNetwork
from pacbed.patterns import Geometry


@dataclass(frozen=True)
class Peak:
    """A peak of a distribution over classes: its mean, its standard deviation, the probability it holds."""

    value: float
    std: float
    probability: float


@dataclass(frozen=True)
class Reading:
    """The networks' answers.

    Attributes
    ----------
    probabilities : dict
        Class probabilities by task, arrays of shape (class,).
    candidates : tuple of Peak
        Thickness [nm], likeliest first.
    mistilt : Peak
        Magnitude [mrad].
    pixel_mrad : float
        Pixel size after the scale loop.
    reference_pixel_mrad : float
        Pixel size that counted as scale 1 when the scale network was asked last.
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


def read_networks(
    networks: Mapping[str, TrainedNetwork],
    array: np.ndarray,
    outline: Outline,
    *,
    convergence_mrad: float,
    pixel_mrad: float,
    settings: Preprocessing,
    mirrored: bool = False,
) -> Reading:
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
        Convergence semi-angle [mrad].
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

    scale_classes = networks["scale"].class_values
    rounds, scales, converged, reference = settings.scale_iterations, [], False, pixel_mrad
    for k in range(rounds):
        reference = pixel_mrad
        probabilities = {"scale": ask("scale", pixel_mrad)}
        scale = main_peak(probabilities["scale"], scale_classes, width=3 * float(np.diff(scale_classes).mean())).value
        scales.append(scale)
        converged = abs(scale - 1) <= settings.scale_tolerance
        if converged:
            break
        pixel_mrad *= (k + (rounds - k) * scale) / rounds  # damping, eq. (1) of Oberaigner et al. 2023
    probabilities |= {task: ask(task, pixel_mrad) for task in ("thickness", "mistilt")}
    return Reading(
        probabilities=probabilities,
        candidates=find_peaks(
            probabilities["thickness"],
            networks["thickness"].class_values,
            width=settings.candidate_width_nm,
            count=settings.candidates,
            least=settings.candidate_probability,
        ),
        mistilt=main_peak(probabilities["mistilt"], networks["mistilt"].class_values, width=np.inf),
        pixel_mrad=pixel_mrad,
        reference_pixel_mrad=reference,
        scales=tuple(scales),
        scale_converged=converged,
    )


def main_peak(probability: np.ndarray, class_values: np.ndarray, *, width: float) -> Peak:
    """The highest peak and what lies within `width` of it."""
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
    probability, class_values : float array, shape (class,)
        The distribution.
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
