"""What a network says of itself in ``<task>.json``: its classes, its input, its convergence angles, its calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pacbed.errors import FormatError, ParameterError
from pacbed.networks.calibration import Calibration
from pacbed.networks.classes import TaskClasses
from pacbed.networks.frame import PolarFrame
from pacbed.networks.inputs import ConvergenceNormalisation

UNCALIBRATED = Calibration()
REQUIRED = ("class_values", "pixels", "max_angle_mrad", "convergence_center_mrad", "convergence_half_width_mrad")


@dataclass(frozen=True)
class NetworkDescription:
    """What goes into a network and what comes out.

    A network without a frame is Cartesian: it sees a field of view in mrad, which takes a pixel size. All networks of
    bundles from before polar frames are, and those of the recipe paper.

    Attributes
    ----------
    classes : TaskClasses
        Values of the output's classes.
    pixels : int
        Edge of the input image [pixels]; of that of the frame, if there is one.
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    convergence : ConvergenceNormalisation
        Of the second input.
    frame : PolarFrame or None
        Frame of the polar map that the network sees.
    mirror : bool
        A mirrored pattern is one of the same crystal.
    calibration : Calibration
        Of the classes.
    direction : Calibration
        Of the direction of the mistilt [rad].
    """

    classes: TaskClasses
    pixels: int
    max_angle_mrad: float
    convergence: ConvergenceNormalisation
    frame: PolarFrame | None = None
    mirror: bool = False
    calibration: Calibration = UNCALIBRATED
    direction: Calibration = UNCALIBRATED

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
                PolarFrame.from_json(content["frame"]) if content.get("frame") else None,
                bool(content.get("mirror", False)),
                *(
                    Calibration.from_json(content[name]) if name in content else UNCALIBRATED
                    for name in ("calibration", "direction")
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
            "frame": None if self.frame is None else self.frame.as_json(),
            "mirror": self.mirror,
            "calibration": self.calibration.as_json(),
            "direction": self.direction.as_json(),
        }
