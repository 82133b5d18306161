"""The parts of a training: one, or two where convolutions were taken over."""

from __future__ import annotations

from typing import NamedTuple

from pacbed.learning.settings import TrainingSettings


class Part(NamedTuple):
    """A part of a training.

    Attributes
    ----------
    name : str
        Names its folder of state.
    epochs : range
        Numbers of its epochs.
    learning_rate : float
        Highest learning rate.
    frozen : bool
        The convolutions stay as they are.
    """

    name: str
    epochs: range
    learning_rate: float
    frozen: bool


def parts_of(settings: TrainingSettings, epochs: int) -> tuple[Part, ...]:
    """The parts of a training: one, or two where convolutions were taken over.

    New layers on convolutions that were taken over begin with large gradients, which would spoil these: they are frozen
    first, with their batch norms, and then learn together with everything else at a smaller rate.

    Parameters
    ----------
    settings : TrainingSettings
    epochs : int
        Epochs of all parts together.
    """
    if settings.start_from is None:
        return (Part("whole", range(epochs), settings.learning_rate, frozen=False),)
    first = min(epochs - 1, max(1, round(settings.freeze * epochs))) if settings.freeze else 0
    parts = (
        Part("frozen", range(first), settings.learning_rate, frozen=True),
        Part("whole", range(first, epochs), settings.fine_tuning * settings.learning_rate, frozen=False),
    )
    return tuple(part for part in parts if part.epochs)
