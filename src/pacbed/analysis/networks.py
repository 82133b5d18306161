"""What the three networks say about a pattern: pixel size, thickness candidates, mistilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from pacbed.analysis.recording.resampling import resample
from pacbed.analysis.scale_loop import correct_scale
from pacbed.bundle.meta import Preprocessing
from pacbed.networks.azimuth import circular_std
from pacbed.networks.frame import PolarFrame
from pacbed.networks.peaks import Peak, find_peaks, main_peak, peak_width
from pacbed.networks.trained import Answer, TrainedNetwork
from pacbed.outline import Outline
from pacbed.patterns import Geometry, bin_pixels

# Pixels of a camera are binned while this many fit into one of the frame: large cameras have more than is needed.
LEAST_RATIO = 2.0


@dataclass(frozen=True)
class Direction:
    """Direction of a mistilt in the image.

    Attributes
    ----------
    azimuth, std : float
        From +x towards +y, and its standard deviation [rad].
    """

    azimuth: float
    std: float


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
        Pixel size found [mrad].
    reference_pixel_mrad : float
        Pixel size that counted as scale 1 when the scale network was asked last [mrad].
    scales : tuple of float
        What the scale network said in each round.
    scale_converged : bool
        The last of them lies near 1 (Cartesian), or is likelier than the ends of its range (polar).
    pixel_std_mrad : float or None
        Standard deviation of the pixel size, where it was calibrated [mrad].
    direction : Direction or None
        Of the mistilt, where the network tells it.
    """

    probabilities: dict[str, np.ndarray]
    candidates: tuple[Peak, ...]
    mistilt: Peak
    pixel_mrad: float
    reference_pixel_mrad: float
    scales: tuple[float, ...]
    scale_converged: bool
    pixel_std_mrad: float | None = None
    direction: Direction | None = None


@dataclass(frozen=True)
class Asked:
    """A recorded pattern that networks are asked about.

    Attributes
    ----------
    array : float array, shape (y, x)
        Repaired counts.
    outline : Outline
        Bright region.
    convergence_mrad : float
        Semi-convergence angle [mrad].
    pixel_mrad : float
        First pixel size, of Cartesian networks [mrad].
    mirrored : bool
        The camera shows the pattern mirrored.
    """

    array: np.ndarray
    outline: Outline
    convergence_mrad: float
    pixel_mrad: float
    mirrored: bool = False


def ask_networks(networks: Mapping[str, TrainedNetwork], asked: Asked, settings: Preprocessing) -> NetworkAnswers:
    """Let the networks answer: polar ones at once, Cartesian ones once the pixel size is right.

    Parameters
    ----------
    networks : mapping
        The three networks, by task.
    asked : Asked
        The pattern.
    settings : Preprocessing
        From the bundle.
    """
    cartesian = any(network.description.frame is None for network in networks.values())
    return (_ask_cartesian if cartesian else _ask_polar)(networks, asked, settings)


def _ask_polar(networks: Mapping[str, TrainedNetwork], asked: Asked, settings: Preprocessing) -> NetworkAnswers:
    """The radius of the bright region stands for the convergence angle; the scale network knows by how much it errs."""
    images: dict[PolarFrame | None, np.ndarray] = {
        frame: framed(asked, frame) for frame in {network.description.frame for network in networks.values()} if frame
    }
    answers = {
        task: network.answer(images[network.description.frame], asked.convergence_mrad)
        for task, network in networks.items()
    }
    return _from_polar(networks, answers, asked, settings)


def ask_about_many(
    networks: Mapping[str, TrainedNetwork], asked: Sequence[Asked], settings: Preprocessing
) -> list[NetworkAnswers]:
    """Let the networks answer about patterns of one convergence angle, each as it lies: quicker, and a little worse.

    Parameters
    ----------
    networks : mapping
        The three networks, by task.
    asked : sequence of Asked
        At least one pattern.
    settings : Preprocessing
        From the bundle.
    """
    frames = {network.description.frame for network in networks.values()}
    if None in frames:
        return [_ask_cartesian(networks, one, settings) for one in asked]
    images = {frame: [framed(one, frame) for one in asked] for frame in frames if frame}
    angle = asked[0].convergence_mrad
    answers = {
        task: network.answers_as_they_lie(images[network.description.frame], angle)  # type: ignore[index]
        for task, network in networks.items()
    }
    return [
        _from_polar(networks, {task: found[index] for task, found in answers.items()}, one, settings)
        for index, one in enumerate(asked)
    ]


def _from_polar(
    networks: Mapping[str, TrainedNetwork], answers: Mapping[str, Answer], asked: Asked, settings: Preprocessing
) -> NetworkAnswers:
    """What polar networks' answers mean for a pattern."""
    reference = asked.convergence_mrad / asked.outline.radius_px
    classes = networks["scale"].description.classes
    scale = _peak(networks["scale"], answers["scale"].probability, width=peak_width(classes))
    direction = answers["mistilt"].direction
    return NetworkAnswers(
        probabilities={task: answer.probability for task, answer in answers.items()},
        candidates=_candidates(networks["thickness"], answers["thickness"].probability, settings),
        mistilt=_peak(networks["mistilt"], answers["mistilt"].probability, width=np.inf),
        pixel_mrad=reference * scale.value,
        reference_pixel_mrad=reference,
        scales=(scale.value,),
        scale_converged=bool(classes.values[0] + classes.step < scale.value < classes.values[-1] - classes.step),
        pixel_std_mrad=reference * scale.std,
        direction=None if direction is None else _direction(networks["mistilt"], direction, asked),
    )


def _ask_cartesian(networks: Mapping[str, TrainedNetwork], asked: Asked, settings: Preprocessing) -> NetworkAnswers:
    """Correct the pixel size with the scale network, then ask the other two."""

    def ask(task: str, pixel_mrad: float) -> np.ndarray:
        network = networks[task]
        target = Geometry.field_of_view(network.pixels, network.max_angle_mrad)
        source = Geometry(asked.array.shape, pixel_mrad, asked.outline.center_px, 0.0, asked.mirrored)
        return network.answer(resample(asked.array, source, target), asked.convergence_mrad).probability

    loop = correct_scale(partial(ask, "scale"), networks["scale"].class_values, asked.pixel_mrad, settings)
    thickness, mistilt = (ask(task, loop.pixel_mrad) for task in ("thickness", "mistilt"))
    return NetworkAnswers(
        probabilities={"scale": loop.probability, "thickness": thickness, "mistilt": mistilt},
        candidates=_candidates(networks["thickness"], thickness, settings),
        mistilt=_peak(networks["mistilt"], mistilt, width=np.inf),
        pixel_mrad=loop.pixel_mrad,
        reference_pixel_mrad=loop.reference_pixel_mrad,
        scales=loop.scales,
        scale_converged=loop.converged,
    )


def framed(asked: Asked, frame: PolarFrame) -> np.ndarray:
    """The pattern in the pixels of a frame, about its bright region; float32, shape (y, x) [counts]."""
    ratio = frame.pixel * asked.outline.radius_px
    factor = max(1, int(ratio / LEAST_RATIO))
    cx, cy = ((middle - (factor - 1) / 2) / factor for middle in asked.outline.center_px)
    array = bin_pixels(asked.array, factor)
    source = Geometry(array.shape, factor / asked.outline.radius_px, (cx, cy), 0.0, asked.mirrored)
    return resample(array, source, frame.geometry)


def _candidates(network: TrainedNetwork, probability: np.ndarray, settings: Preprocessing) -> tuple[Peak, ...]:
    """Calibrated peaks of the thickness, likeliest first."""
    peaks = find_peaks(
        probability,
        network.class_values,
        width=settings.candidate_width_nm,
        count=settings.candidates,
        least=settings.candidate_probability,
    )
    return tuple(network.description.calibration.peak(peak) for peak in peaks)


def _peak(network: TrainedNetwork, probability: np.ndarray, *, width: float) -> Peak:
    """The calibrated main peak of an answer."""
    return network.description.calibration.peak(main_peak(probability, network.class_values, width=width))


def _direction(network: TrainedNetwork, direction: complex, asked: Asked) -> Direction:
    """Direction in the image: a frame is turned as the camera's image, and not mirrored where that is."""
    azimuth = float(np.angle(direction)) * (-1 if asked.mirrored else 1)
    seen = Peak(azimuth, float(circular_std(np.array(direction))), 1.0)
    return Direction(azimuth, network.description.direction.peak(seen).std)
