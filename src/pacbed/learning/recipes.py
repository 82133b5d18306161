"""The recipes: which network is trained, and on which patterns. A recipe is one entry of one table."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

from pacbed.errors import bad_value
from pacbed.learning.feed import Feed, TrainingData
from pacbed.learning.feed_rendered import rendered_feed
from pacbed.learning.feed_stack import stack_feed
from pacbed.learning.settings import TrainingSettings
from pacbed.networks.architectures import Architecture, compact_features, xception_features


class Recipe(NamedTuple):
    """How a system's networks are trained.

    Attributes
    ----------
    architecture : callable
        The network without its classifier, see `pacbed.networks.architectures`.
    feed : callable
        Takes `TrainingSettings` and `TrainingData`, returns the `Feed`.
    """

    architecture: Architecture
    feed: Callable[[TrainingSettings, TrainingData], Feed]


RECIPES = MappingProxyType(
    {
        "compact": Recipe(compact_features, rendered_feed),
        "paper": Recipe(xception_features, stack_feed),
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
