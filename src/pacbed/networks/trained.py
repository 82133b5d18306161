"""The trained networks as a prediction asks them: ONNX files run by onnxruntime, without Keras."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.config.values import TASKS
from pacbed.errors import FormatError
from pacbed.networks.description import NetworkDescription
from pacbed.networks.inputs import named_inputs, normalise_pattern

QUARTER_TURNS = 4


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
        except Exception as error:  # onnxruntime's errors share no base class
            name = self.description.classes.task
            raise FormatError(f"{name}.onnx: damaged ({type(error).__name__})") from error

    def probability(self, image: np.ndarray, convergence_mrad: float) -> np.ndarray:
        """Class probabilities of one pattern, averaged over its four quarter turns.

        The networks are trained on all rotations alike; turning by 90 degrees needs no interpolation.

        Parameters
        ----------
        image : ndarray, shape (y, x)
            The pattern in the network's field of view, `pixels` high and wide; intensities on any linear scale.
        convergence_mrad : float
            Semi-convergence angle [mrad]; held inside the trained range.

        Returns
        -------
        ndarray of float, shape (class,)
            Probabilities [1]; they sum to 1.

        Raises
        ------
        ParameterError
            The image is not square, flat, or not finite.
        FormatError
            The model cannot be read.
        """
        normal = normalise_pattern(image)
        patterns = np.stack([np.rot90(normal, turns) for turns in range(QUARTER_TURNS)])
        angle = np.clip(self.description.convergence.normalise(convergence_mrad), -1, 1)
        (output,) = self.session.run(None, named_inputs(patterns, np.repeat(angle, QUARTER_TURNS, axis=0)))
        mean = np.asarray(output, dtype=float).mean(axis=0)
        return np.asarray(mean / mean.sum())


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
    folder = Path(folder)
    return load_networks(lambda name: (folder / name).read_bytes())
