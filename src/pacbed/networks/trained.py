"""The exported networks: onnxruntime sessions with the descriptions that say what goes in and what comes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.config.values import TASKS
from pacbed.errors import FormatError
from pacbed.networks.inputs import convergence_input, network_input

NEEDED = ("class_values", "pixels", "max_angle_mrad", "convergence_center_mrad", "convergence_half_width_mrad")


class TrainedNetwork:
    """One network; the session starts when it is first asked.

    Parameters
    ----------
    task : {"scale", "thickness", "mistilt"}
    description : dict
        Content of ``<task>.json``.
    read_model : callable
        Returns the ONNX file's bytes.

    Raises
    ------
    FormatError
        The description lacks a field.
    """

    def __init__(self, task: str, description: dict[str, Any], read_model: Callable[[], bytes]) -> None:
        missing = [name for name in NEEDED if name not in description]
        if missing:
            raise FormatError(f"{task}.json: got no {', '.join(missing)}, accepted: the description of a network")
        self.task = task
        self.description = description
        self._read_model = read_model

    @property
    def class_values(self) -> np.ndarray:
        """Values of the classes, ascending, shape (class,)."""
        return np.asarray(self.description["class_values"], dtype=float)

    @property
    def pixels(self) -> int:
        """Edge of the input image."""
        return int(self.description["pixels"])

    @property
    def max_angle_mrad(self) -> float:
        """Half width of the input's field of view [mrad]."""
        return float(self.description["max_angle_mrad"])

    @cached_property
    def session(self) -> Any:
        """The onnxruntime session; one thread, so that many patterns can be read side by side."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(self._read_model(), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no base class
            raise FormatError(f"{self.task}.onnx: damaged ({type(error).__name__})") from error

    def probability(self, image: np.ndarray, convergence_mrad: float) -> np.ndarray:
        """Class probabilities of one pattern, averaged over its four quarter turns.

        The networks are trained on all rotations alike; turning by 90 degrees needs no interpolation.

        Parameters
        ----------
        image : float array, shape (pixels, pixels)
            The pattern in the network's field of view.
        convergence_mrad : float
            Convergence semi-angle [mrad]; held inside the trained range.

        Returns
        -------
        float array, shape (class,)
        """
        normal = network_input(image, task=self.task)
        patterns = np.stack([np.rot90(normal, turns) for turns in range(4)])[..., None]
        angle = convergence_input(
            convergence_mrad,
            center_mrad=self.description["convergence_center_mrad"],
            half_width_mrad=self.description["convergence_half_width_mrad"],
        )
        inputs = {"pattern": patterns, "convergence": np.repeat(np.clip(angle, -1, 1), len(patterns), axis=0)}
        (output,) = self.session.run(None, inputs)
        mean = np.asarray(output, dtype=float).mean(axis=0)
        return np.asarray(mean / mean.sum())


def load_networks(read: Callable[[str], bytes]) -> dict[str, TrainedNetwork]:
    """The three networks, by task.

    Parameters
    ----------
    read : callable
        Returns the bytes of a member such as ``thickness.json``.
    """
    networks = {}
    for task in TASKS:
        try:
            description = json.loads(read(f"{task}.json"))
        except ValueError as error:
            raise FormatError(f"{task}.json: damaged ({error})") from error
        networks[task] = TrainedNetwork(task, description, lambda name=f"{task}.onnx": read(name))  # type: ignore[misc]
    return networks


def load_networks_from(folder: str | Path) -> dict[str, TrainedNetwork]:
    """The three networks in a folder of ``<task>.onnx`` and ``<task>.json``."""
    folder = Path(folder)
    return load_networks(lambda name: (folder / name).read_bytes())
