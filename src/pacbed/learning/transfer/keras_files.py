"""Convolutions of another system's network, taken over from the Keras files of its training."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
from keras import layers

from pacbed.errors import bad_value
from pacbed.networks.architectures import layers_of

log = logging.getLogger(__name__)
CONVOLUTIONAL = (layers.Conv2D, layers.SeparableConv2D, layers.BatchNormalization)


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
