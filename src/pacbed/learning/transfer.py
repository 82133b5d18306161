"""What a network begins with: random weights, published ones, or the convolutions of another system's network."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
from keras import layers

from pacbed.errors import bad_value
from pacbed.learning.settings import TrainingSettings
from pacbed.networks.architectures import layers_of

log = logging.getLogger(__name__)
CONVOLUTIONAL = (layers.Conv2D, layers.SeparableConv2D, layers.BatchNormalization)


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


def begin(network: keras.Model, settings: TrainingSettings, *, task: str, published: bool) -> str:
    """Give a fresh network the weights that the settings ask for.

    Parameters
    ----------
    network : keras.Model
        From `build_network`; changed.
    settings : TrainingSettings
        Its `weights` and `start_from`.
    task : str
        Whose network is taken where there is one for each.
    published : bool
        The recipe has published weights.

    Returns
    -------
    str
        What it begins with, for the model card.

    Raises
    ------
    ParameterError
        The file or folder is missing, damaged, or of another network.
    """
    if settings.start_from is not None:
        take_over(network, settings.start_from, task=task, recipe=settings.recipe)
        return f"convolutions of {settings.start_from}"
    if settings.weights is not None:
        read_published(network, settings.weights)
        return f"weights of {Path(settings.weights).name}"
    if published:
        log.info("%s: begins with random weights; training.weights names a file of those of ImageNet", task)
    return "random weights"


def read_published(network: keras.Model, path: str | Path) -> None:
    """Read the weights of the network inside a network, such as Xception's from ImageNet.

    Parameters
    ----------
    network : keras.Model
        Holds one network, the convolutions; changed.
    path : path
        HDF5 file without the top, as `keras.applications` keeps them.

    Raises
    ------
    ParameterError
        The file is missing or no such file.
    """
    (body,) = (layer for layer in network.layers if isinstance(layer, keras.Model))
    try:
        body.load_weights(str(path))
    except (OSError, ValueError, KeyError) as error:
        log.debug("%s", error)
        accepted = f"a file (.h5) of weights of {body.name} without its top"
        raise bad_value("weights", str(path), accepted) from error
    log.info("%s begins with the weights of %s", body.name, path)


def take_over(network: keras.Model, folder: str | Path, *, task: str, recipe: str) -> None:
    """Copy the convolutions, with their batch norms, of a trained network.

    Parameters
    ----------
    network : keras.Model
        Changed.
    folder : path
        Holds ``<task>.keras`` and its description ``<task>.json``.
    task : str
    recipe : str
        Recipe of both.

    Raises
    ------
    ParameterError
        The folder has no such network, or one of another recipe or other shapes.
    """
    source = _trained(Path(folder), task, recipe)
    old, new = convolutional_layers(source), convolutional_layers(network)
    if _shapes(old) != _shapes(new):
        accepted = f"networks whose {len(new)} convolutions and batch norms have the shapes of the new ones"
        raise bad_value("start_from", str(folder), accepted)
    for layer, trained in zip(new, old, strict=True):
        layer.set_weights(trained.get_weights())
    log.info("%s: %d convolutions and batch norms taken over from %s", task, len(new), folder)


def convolutional_layers(network: keras.Model) -> list[keras.Layer]:
    """The convolutions and batch norms of a network, in the order of its graph."""
    return [layer for layer in layers_of(network) if isinstance(layer, CONVOLUTIONAL)]


def set_frozen(network: keras.Model, frozen: bool) -> None:
    """Let the convolutions learn, or not; batch norms that do not learn keep their statistics, too."""
    for layer in convolutional_layers(network):
        layer.trainable = not frozen


def _trained(folder: Path, task: str, recipe: str) -> keras.Model:
    """A trained network of a recipe."""
    try:
        content: Mapping[str, Any] = json.loads((folder / f"{task}.json").read_text(encoding="utf-8"))
        found = content["settings"]["recipe"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        accepted = f"a folder with {task}.keras and {task}.json, such as results/<system>/models"
        raise bad_value("start_from", str(folder), accepted) from error
    if found != recipe:
        raise bad_value("start_from", f"{folder}, of the recipe {found}", f"networks of the recipe {recipe}")
    try:
        return keras.models.load_model(folder / f"{task}.keras", compile=False)
    except Exception as error:  # Keras' errors share no base class
        raise bad_value("start_from", str(folder / f"{task}.keras"), "a network that Keras can read") from error


def _shapes(some: list[keras.Layer]) -> list[list[tuple[int, ...]]]:
    return [[tuple(weight.shape) for weight in layer.weights] for layer in some]
