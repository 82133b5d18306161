"""What a network says of itself in ``<task>.json``: its classes, its field of view, its convergence angles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pacbed.errors import FormatError, ParameterError
from pacbed.networks.classes import TaskClasses
from pacbed.networks.inputs import ConvergenceNormalisation

REQUIRED = ("class_values", "pixels", "max_angle_mrad", "convergence_center_mrad", "convergence_half_width_mrad")


@dataclass(frozen=True)
class NetworkDescription:
    """What goes into a network and what comes out.

    Attributes
    ----------
    classes : TaskClasses
        Values of the output's classes.
    pixels : int
        Edge of the input image [pixels].
    max_angle_mrad : float
        Half width of the input's field of view [mrad].
    convergence : ConvergenceNormalisation
        Of the second input.
    """

    classes: TaskClasses
    pixels: int
    max_angle_mrad: float
    convergence: ConvergenceNormalisation

    @classmethod
    def from_json(cls, task: str, content: Mapping[str, Any]) -> NetworkDescription:
        """Read a network's file; fields beyond those needed are allowed.

        Parameters
        ----------
        task : {"scale", "thickness", "mistilt"}
            Network that the file belongs to.
        content : mapping
            JSON content of ``<task>.json``.

        Raises
        ------
        FormatError
            A field is missing, or is no number where it should be one.
        """
        missing = [name for name in REQUIRED if name not in content]
        if missing:
            raise FormatError(f"{task}.json: got no {', '.join(missing)}, accepted: the description of a network")
        try:
            return cls(
                TaskClasses(task, np.asarray(content["class_values"], dtype=float)),
                int(content["pixels"]),
                float(content["max_angle_mrad"]),
                ConvergenceNormalisation(
                    float(content["convergence_center_mrad"]), float(content["convergence_half_width_mrad"])
                ),
            )
        except (TypeError, ValueError, ParameterError) as error:
            raise FormatError(f"{task}.json: damaged ({error}), accepted: the description of a network") from error

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values, in the fields that `from_json` reads, with the task and the unit of the classes."""
        return {
            "task": self.classes.task,
            "class_values": self.classes.values.tolist(),
            "class_unit": self.classes.unit,
            "pixels": self.pixels,
            "max_angle_mrad": self.max_angle_mrad,
            "convergence_center_mrad": self.convergence.center_mrad,
            "convergence_half_width_mrad": self.convergence.half_width_mrad,
        }
