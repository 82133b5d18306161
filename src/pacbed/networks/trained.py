"""The trained networks as a prediction asks them: ONNX files run by onnxruntime, without Keras."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pacbed.config.values import TASKS
from pacbed.errors import FormatError
from pacbed.networks.azimuth import mean_direction
from pacbed.networks.description import NetworkDescription
from pacbed.networks.frame import Placement, PolarFrame
from pacbed.networks.inputs import named_inputs, normalise_pattern

PARITY = "parity.json"  # what the export found, and the SHA-256 of every ONNX file
QUARTER_TURNS = 4
# Turns by one to eight columns of the map: the convolutions' strides, eight columns together, cannot tell others.
MAP_TURNS = 8


class Answer(NamedTuple):
    """What a network says about one pattern.

    Attributes
    ----------
    probability : ndarray of float, shape (class,)
        Probabilities of its classes, calibrated [1]; they sum to 1.
    direction : complex or None
        Mean unit vector of the mistilt's direction in the image, x + iy: its length, up to 1, tells how sure it is.
    """

    probability: np.ndarray
    direction: complex | None = None


class TrainedNetwork:
    """One network; the session starts when it is first asked.

    Parameters
    ----------
    description : NetworkDescription
        What goes in and what comes out.
    read_model : callable
        Returns the ONNX file's bytes.
    """

    def __init__(self, description: NetworkDescription, read_model: Callable[[], bytes]) -> None:
        self.description = description
        self._read_model = read_model

    @property
    def class_values(self) -> np.ndarray:
        """Values of the classes, ascending, shape (class,) [1, nm or mrad]."""
        return self.description.classes.values

    @property
    def pixels(self) -> int:
        """Edge of the input image [pixels]."""
        return self.description.pixels

    @property
    def max_angle_mrad(self) -> float:
        """Half width of the input's field of view [mrad]."""
        return self.description.max_angle_mrad

    @cached_property
    def session(self) -> Any:
        """The onnxruntime session; one thread, so that many patterns can be read side by side.

        Raises
        ------
        FormatError
            The model cannot be read.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(self._read_model(), options, providers=["CPUExecutionProvider"])
        except FormatError:  # says already which file of which bundle
            raise
        except Exception as error:  # onnxruntime's errors share no base class
            name = self.description.classes.task
            raise FormatError(f"{name}.onnx: damaged ({type(error).__name__})") from error

    def answer(self, image: np.ndarray, convergence_mrad: float) -> Answer:
        """What the network says about one pattern, averaged over turns, and mirrors where the crystal has one.

        The networks are trained on all rotations alike. A Cartesian network is asked about four quarter turns, which
        need no interpolation.

        Parameters
        ----------
        image : ndarray, shape (y, x)
            The pattern in the network's field of view or frame, `pixels` high and wide; intensities on any linear
            scale.
        convergence_mrad : float
            Semi-convergence angle [mrad]; held inside the trained range.

        Raises
        ------
        ParameterError
            The image is not square, flat, or not finite.
        FormatError
            The model cannot be read.
        """
        normal, frame = normalise_pattern(image), self.description.frame
        if frame is None:
            placement = None
            patterns = np.stack([np.rot90(normal, turns) for turns in range(QUARTER_TURNS)])
        else:
            placement = averaged_placement(frame, mirror=self.description.mirror)
            patterns = averaged_maps(frame, normal, placement)
        outputs = self._outputs(patterns, convergence_mrad)
        mean = np.asarray(outputs["probability"], dtype=float).mean(axis=0)
        direction = None
        if placement is not None and "azimuth" in outputs:
            direction = averaged_direction(outputs["azimuth"], placement)
        return Answer(self.description.calibration.probability(mean), direction)

    def answers_as_they_lie(self, images: Sequence[np.ndarray], convergence_mrad: float) -> list[Answer]:
        """What a polar network says about many patterns at once, each asked about as it lies, not averaged over turns.

        Parameters
        ----------
        images : sequence of ndarray, shape (y, x)
            As for `answer`.
        convergence_mrad : float
            Semi-convergence angle [mrad].
        """
        frame = self.description.frame
        assert frame is not None  # Cartesian networks correct the pixel of one pattern at a time
        placement = Placement.centred(np.zeros(len(images)), np.zeros(len(images), dtype=bool))
        outputs = self._outputs(
            frame.maps(np.stack([normalise_pattern(image) for image in images]), placement), convergence_mrad
        )
        seen = mean_direction(np.asarray(outputs["azimuth"], dtype=float)) if "azimuth" in outputs else None
        calibrated = [
            self.description.calibration.probability(one) for one in np.asarray(outputs["probability"], float)
        ]
        if seen is None:
            return [Answer(one) for one in calibrated]
        directions = np.abs(seen) * np.exp(1j * placement.image_azimuth(np.angle(seen)))
        return [Answer(one, complex(direction)) for one, direction in zip(calibrated, directions, strict=True)]

    def _outputs(self, patterns: np.ndarray, convergence_mrad: float) -> dict[str, np.ndarray]:
        """Outputs of the session by name, of patterns or maps, shape (pattern, y, x)."""
        angle = np.clip(self.description.convergence.normalise(convergence_mrad), -1, 1)
        # Networks exported before they could tell a direction have one output, of any name.
        names = [output.name for output in self.session.get_outputs()]
        names = names if len(names) > 1 else ["probability"]
        inputs = named_inputs(patterns, np.repeat(angle, len(patterns), axis=0))
        return dict(zip(names, self.session.run(None, inputs), strict=True))


def averaged_placement(frame: PolarFrame, *, mirror: bool) -> Placement:
    """Placement of the maps of one pattern over which a network's answers are averaged.

    Parameters
    ----------
    frame : PolarFrame
        Frame of the maps.
    mirror : bool
        A mirrored pattern is one of the same crystal.
    """
    turn = 2 * np.pi * np.arange(MAP_TURNS) / frame.angles
    copies = 2 if mirror else 1
    return Placement.centred(np.tile(turn, copies), np.repeat([False, True][:copies], MAP_TURNS))


def averaged_maps(frame: PolarFrame, image: np.ndarray, placement: Placement) -> np.ndarray:
    """Maps of one image, shape (y, x), as `averaged_placement` says; float32, shape (map, radius, angle).

    Turns are whole columns: each hand is read once, and its columns moved.
    """
    hands = np.unique(placement.mirrored)
    read = frame.maps(np.repeat(image[None], len(hands), axis=0), Placement.centred(np.zeros(len(hands)), hands))
    columns = np.rint(-placement.sign * placement.turn * frame.angles / (2 * np.pi)).astype(int)
    return np.stack(
        [np.roll(read[int(hand)], by, axis=-1) for hand, by in zip(placement.mirrored, columns, strict=True)]
    )


def averaged_direction(azimuth: np.ndarray, placement: Placement) -> complex:
    """Mean unit vector x + iy in the image of distributions (map, bin) over azimuths in maps."""
    seen = mean_direction(np.asarray(azimuth, dtype=float))
    return complex(np.mean(np.abs(seen) * np.exp(1j * placement.image_azimuth(np.angle(seen)))))


def load_networks(read: Callable[[str], bytes]) -> dict[str, TrainedNetwork]:
    """The three networks, by task.

    Parameters
    ----------
    read : callable
        Returns the bytes of a member such as ``thickness.json``.

    Raises
    ------
    FormatError
        A description is damaged or incomplete.
    """
    networks = {}
    for task in TASKS:
        try:
            content = json.loads(read(f"{task}.json"))
        except ValueError as error:
            raise FormatError(f"{task}.json: damaged ({error})") from error
        networks[task] = TrainedNetwork(NetworkDescription.from_json(task, content), partial(read, f"{task}.onnx"))
    return networks


def load_networks_from(folder: str | Path) -> dict[str, TrainedNetwork]:
    """The three networks in a folder of ``<task>.onnx`` and ``<task>.json``."""
    return load_networks(partial(read_exported, Path(folder)))


def read_exported(folder: Path, name: str) -> bytes:
    """Read a file beside `PARITY`.

    Raises
    ------
    FormatError
        An ONNX file is not what was exported; a bit that flips among its weights changes answers and nothing else.
    """
    content = (folder / name).read_bytes()
    exported = json.loads((folder / PARITY).read_text(encoding="utf-8")) if (folder / PARITY).is_file() else {}
    expected = exported.get(Path(name).stem, {}).get("sha256") if name.endswith(".onnx") else None
    if expected is not None and hashlib.sha256(content).hexdigest() != expected:
        raise FormatError(f"network {folder / name}: damaged; delete it and make it again")
    return content
