"""The settings of a training, and the fingerprint that tells whether begun work belongs to them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pacbed.config.values import BUNDLE_SUFFIX, TASKS
from pacbed.errors import bad_value
from pacbed.learning.draws import SCALE_TOLERANCE, DrawRanges
from pacbed.networks.classes import TaskClasses
from pacbed.networks.inputs import ConvergenceNormalisation
from pacbed.outputs import DONE
from pacbed.workflow.stages import STAGE_VERSIONS

SMALLEST_PIXELS = 16
_AXES = {"thickness_nm": "above 0 [nm]", "convergence_mrad": "above 0 [mrad]", "mistilt_mrad": "from 0 [mrad]"}
_COUNTS = ("samples", "validation_samples", "batch_size")


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides what networks become, besides the table and the stack; named as in the configuration.

    Attributes
    ----------
    thickness_nm, convergence_mrad, mistilt_mrad : tuple of float
        The system's parameter grid, ascending [nm, mrad, mrad]: ranges of the patterns, and classes.
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    recipe : str
        A name in `pacbed.learning.recipes.RECIPES`.
    pixels : int
        Edge of the image that a network's input is made of [pixels].
    samples, validation_samples : int
        Patterns of the training and of the validation (recipe compact), or seen in an epoch (recipe paper).
    epochs : mapping
        Passes over the patterns by task. Tasks that are trained together take the most of any.
    batch_size : int
        Patterns in a training step.
    learning_rate : float
        Highest learning rate; see `pacbed.learning.optimisers`.
    scale_range : tuple of float
        Lowest and highest class of the scale network: radius of the bright region over the convergence angle (recipe
        compact), or pixel size relative to the simulated one (recipe paper).
    scale_step : float
        Distance of its classes.
    noise_max : float
        Largest standard deviation of the Gaussian noise of a pixel of the stack, over the pattern's maximum.
    seed : int
        Seed of draws, weights and order.
    weights : str, optional
        File of Xception's weights from ImageNet (recipe paper).
    start_from : str, optional
        Folder of trained networks of another system, or a bundle (.pacbed), whose convolutions are taken over.
    freeze : float
        Share of the epochs in which these stay as they are.
    fine_tuning : float
        Learning rate after that, over `learning_rate`.

    Raises
    ------
    ParameterError
        A value is not accepted.
    """

    thickness_nm: Sequence[float]
    convergence_mrad: Sequence[float]
    mistilt_mrad: Sequence[float]
    max_angle_mrad: float
    recipe: str
    pixels: int
    samples: int
    validation_samples: int
    epochs: Mapping[str, int]
    batch_size: int
    learning_rate: float
    scale_range: Sequence[float]
    scale_step: float
    noise_max: float
    seed: int
    weights: str | None = None
    start_from: str | None = None
    freeze: float = 0.25
    fine_tuning: float = 0.5

    def __post_init__(self) -> None:
        for name in (*_AXES, "scale_range"):
            object.__setattr__(self, name, tuple(map(float, getattr(self, name))))
        object.__setattr__(self, "epochs", dict(self.epochs))
        for name, bound in _AXES.items():
            values = getattr(self, name)
            above_zero = values and (values[0] > 0 or (name == "mistilt_mrad" and values[0] == 0))
            if not (above_zero and _ascending(values)):
                raise bad_value(name, list(values), f"ascending numbers {bound}")
        if not (len(self.scale_range) == 2 and _ascending(self.scale_range) and self.scale_range[0] > 0):
            raise bad_value("scale_range", list(self.scale_range), "lowest and highest, both above 0")
        for name, least in {"pixels": SMALLEST_PIXELS, **dict.fromkeys(_COUNTS, 1), "seed": 0}.items():
            value = getattr(self, name)
            if not (isinstance(value, int) and value >= least):
                raise bad_value(name, value, f"an integer from {least}")
        if set(self.epochs) != set(TASKS) or not all(isinstance(n, int) and n >= 1 for n in self.epochs.values()):
            raise bad_value("epochs", self.epochs, f"an integer from 1 for each of {', '.join(TASKS)}")
        _check_number("max_angle_mrad", self.max_angle_mrad, 0 < self.max_angle_mrad < math.inf, "above 0 [mrad]")
        _check_number("learning_rate", self.learning_rate, 0 < self.learning_rate <= 1, "above 0 and up to 1")
        _check_number("scale_step", self.scale_step, 0 < self.scale_step < math.inf, "above 0")
        _check_number("noise_max", self.noise_max, 0 <= self.noise_max <= 1, "from 0 to 1")
        _check_number("freeze", self.freeze, 0 <= self.freeze < 1, "from 0 to below 1")
        _check_number("fine_tuning", self.fine_tuning, 0 < self.fine_tuning <= 1, "above 0 and up to 1")

    def classes_of(self, task: str) -> TaskClasses:
        """The classes of a task on the grid."""
        return TaskClasses.of_grid(
            task,
            thickness_nm=self.thickness_nm,
            mistilt_mrad=self.mistilt_mrad,
            scale_range=self.scale_range,
            scale_step=self.scale_step,
        )

    def draw_ranges_of(self, task: str) -> DrawRanges:
        """Ranges that the grid spans; the scale network alone sees its whole range of scales."""
        return DrawRanges.spanned_by(
            thickness_nm=self.thickness_nm,
            convergence_mrad=self.convergence_mrad,
            mistilt_mrad=self.mistilt_mrad,
            scale=self.scale_range if task == "scale" else SCALE_TOLERANCE,
        )

    @property
    def convergence(self) -> ConvergenceNormalisation:
        """Normalisation of the grid's semi-convergence angles."""
        return ConvergenceNormalisation.spanning(self.convergence_mrad)

    def fingerprint(self, table_dir: str | Path, stack_dir: str | Path) -> dict[str, Any]:
        """All that decides a training's outcome; work that was begun goes on only where it is the same.

        Parameters
        ----------
        table_dir, stack_dir : path
            Rocking table and stack. Their content counts, by the description and sizes in ``done.json``, and not where
            they lie.

        Returns
        -------
        dict
            ``stage_version`` of the rule, ``settings``, the SHA-256 of the table's and the stack's ``done.json``, and
            those of the files that the networks begin with.

        Raises
        ------
        ParameterError
            One of these files is missing.
        """
        return {
            "stage_version": STAGE_VERSIONS["train_network"],
            "settings": asdict(self),
            "table": hashlib.sha256((Path(table_dir) / DONE).read_bytes()).hexdigest(),
            "stack": hashlib.sha256((Path(stack_dir) / DONE).read_bytes()).hexdigest(),
            "begun_with": self._begun_with(),
        }

    def _begun_with(self) -> dict[str, str]:
        """SHA-256 of the files of weights that the networks begin with, by name."""
        files = [Path(self.weights)] if self.weights else []
        if files and not files[0].is_file():
            raise bad_value("weights", self.weights, "a file that exists")
        if self.start_from:
            files += networks_of(self.start_from)
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def networks_of(start_from: str | Path) -> list[Path]:
    """Files that the networks of a folder or a bundle lie in.

    Raises
    ------
    ParameterError
        There are none.
    """
    source = Path(start_from)
    if source.suffix == BUNDLE_SUFFIX and source.is_file():
        return [source]
    found = sorted(source.glob("*.onnx" if source.suffix == BUNDLE_SUFFIX else "*.keras"))
    if not found:
        accepted = "a folder of networks (.keras), such as results/<system>/models, or a bundle (.pacbed)"
        raise bad_value("start_from", str(start_from), accepted)
    return found


def _ascending(values: Sequence[float]) -> bool:
    finite = all(map(math.isfinite, values))
    return finite and all(low < high for low, high in pairwise(values))


def _check_number(name: str, value: float, accepted: bool, bounds: str) -> None:
    if not accepted:
        raise bad_value(name, value, f"a number {bounds}")
