"""The model card: how a network came to be, kept in its ``<task>.json`` and shown by `pacbed inspect`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pacbed.errors import FormatError
from pacbed.networks.classes import UNITS


@dataclass(frozen=True)
class ModelCard:
    """How a network was trained, and what it reached.

    Attributes
    ----------
    recipe : str
    begun_with : str
        What its weights were before.
    training_patterns, validation_patterns : int
        Patterns of an epoch, and held-out ones.
    epochs, best_epoch : int
        Epochs that were trained, and the one that was kept.
    loss, validation_loss : float
        Cross-entropy of its own labels in that epoch.
    median_error : float
        Of the most probable class, over the held-out patterns [unit of the classes].
    seed : int
        Of draws, weights and order.
    seconds, cpu_seconds : float
        Time of all epochs, and time of the processor [s]; networks that are trained together share them.
    waiting : float
        Share of `seconds` that went into making batches; the trainer waited for no longer than that [1].
    calibrated : bool
        Its probabilities were calibrated on the held-out patterns.
    versions : dict
        Of Keras, its backend and pacbed.
    """

    recipe: str
    begun_with: str
    training_patterns: int
    validation_patterns: int
    epochs: int
    best_epoch: int
    loss: float
    validation_loss: float
    median_error: float
    seed: int
    seconds: float
    cpu_seconds: float
    waiting: float
    calibrated: bool
    versions: dict[str, str]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> ModelCard:
        """Read a card; fields beyond those needed are allowed.

        Raises
        ------
        FormatError
            A field is missing.
        """
        try:
            return cls(**{field.name: content[field.name] for field in fields(cls)})
        except (KeyError, TypeError) as error:
            raise FormatError(f"card: damaged ({error}), accepted: the model card of a network") from error

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)

    def line(self, task: str) -> str:
        """The card in one line.

        Parameters
        ----------
        task : {"scale", "thickness", "mistilt"}
            Of the network; gives the unit of its errors.
        """
        unit = "" if UNITS[task] == "1" else f" {UNITS[task]}"
        return ", ".join(
            [
                f"recipe {self.recipe} from {self.begun_with}",
                f"{self.training_patterns:,} patterns, {self.validation_patterns:,} held out",
                f"epoch {self.best_epoch} of {self.epochs} kept",
                f"loss {self.loss:.3g} (held out {self.validation_loss:.3g})",
                f"median error {self.median_error:.2g}{unit}",
                f"seed {self.seed}",
                f"{self.cpu_seconds:,.0f} CPU s, {self.waiting:.0%} of the time for data",
                "calibrated" if self.calibrated else "not calibrated",
                " ".join(f"{name} {version}" for name, version in self.versions.items()),
            ]
        )
