"""The recipes: which network is trained, and on which patterns. A recipe is one entry of one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import NamedTuple

import keras

from pacbed.config.values import TASKS
from pacbed.errors import bad_value
from pacbed.learning.feed import Feed, TrainingData
from pacbed.learning.optimisers import constant_adam, cosine_adamw
from pacbed.learning.rendered.feed import rendered_feed
from pacbed.learning.settings import TrainingSettings
from pacbed.learning.stacked.feed import stack_feed
from pacbed.networks.architectures import Architecture, compact_outputs, xception_outputs
from pacbed.networks.frame import PolarFrame


class Recipe(NamedTuple):
    """How a system's networks are trained.

    Attributes
    ----------
    architecture : callable
        The layers, see `pacbed.networks.architectures`.
    feed : callable
        Takes `TrainingSettings`, `TrainingData` and the tasks of a training, returns the `Feed`.
    trainings : tuple of tuple of str
        Tasks that are trained together, training by training.
    frame : callable
        Takes `TrainingSettings`, returns the polar frame of the networks' input; None where it is Cartesian.
    optimiser : callable
        Takes a learning rate and the number of steps.
    published : bool
        There are published weights that its convolutions can begin with.
    """

    architecture: Architecture
    feed: Callable[[TrainingSettings, TrainingData, Sequence[str]], Feed]
    trainings: tuple[tuple[str, ...], ...]
    frame: Callable[[TrainingSettings], PolarFrame | None]
    optimiser: Callable[[float, int], keras.optimizers.Optimizer]
    published: bool


RECIPES = MappingProxyType(
    {
        "compact": Recipe(
            architecture=compact_outputs,
            feed=rendered_feed,
            trainings=(TASKS,),
            frame=lambda settings: PolarFrame(settings.pixels),
            optimiser=cosine_adamw,
            published=False,
        ),
        "paper": Recipe(
            architecture=xception_outputs,
            feed=stack_feed,
            trainings=tuple((task,) for task in TASKS),
            frame=lambda settings: None,
            optimiser=constant_adam,
            published=True,
        ),
    }
)


def recipe_named(name: str) -> Recipe:
    """The recipe of a name.

    Raises
    ------
    ParameterError
        There is none of that name.
    """
    if name not in RECIPES:
        raise bad_value("recipe", name, f"one of {', '.join(RECIPES)}")
    return RECIPES[name]
