"""What a network begins with: random weights, published ones, or the convolutions of another system's network."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from pacbed.config.values import BUNDLE_SUFFIX
from pacbed.errors import bad_value
from pacbed.learning.settings import TrainingSettings
from pacbed.learning.transfer.bundle import take_over_folded
from pacbed.learning.transfer.keras_files import take_over

log = logging.getLogger(__name__)


def begin(
    network: keras.Model, settings: TrainingSettings, inputs: Mapping[str, np.ndarray], *, task: str, published: bool
) -> str:
    """Give a fresh network the weights that the settings ask for.

    Parameters
    ----------
    network : keras.Model
        From `build_network`; changed.
    settings : TrainingSettings
        Its `weights` and `start_from`.
    inputs : mapping of ndarray
        Some patterns as the network takes them.
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
        The file, folder or bundle is missing, damaged, or of another network.
    """
    if settings.start_from is not None:
        told = {"task": task, "recipe": settings.recipe}
        if Path(settings.start_from).suffix == BUNDLE_SUFFIX:
            take_over_folded(network, settings.start_from, inputs, **told)
        else:
            take_over(network, settings.start_from, **told)
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
