"""Convolutions of a bundle's network: its ONNX file has the batch norms folded into them.

A bundle is a Zip, or a folder, with ``<task>.onnx`` and ``<task>.json`` at its root (`pacbed.bundle.archive`).
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from pacbed.errors import bad_value
from pacbed.networks.architectures import layers_of

log = logging.getLogger(__name__)
RECIPE = "compact"  # every convolution has a batch norm behind it and no other weights
PATTERNS = 512  # that tell mean and variance of what a convolution gives
BATCH = 128


class FoldedConvolution(NamedTuple):
    """A convolution with the batch norm behind it.

    Attributes
    ----------
    kernel : float32 array, shape (row, column, channel, filter)
    bias : float32 array, shape (filter,)
    """

    kernel: np.ndarray
    bias: np.ndarray


def take_over_folded(
    network: keras.Model, bundle: str | Path, inputs: Mapping[str, np.ndarray], *, task: str, recipe: str
) -> None:
    """Copy the convolutions of a bundle's network, and part each from its batch norm.

    The batch norms get the mean and the variance that the convolutions have on some patterns, so that the layers do
    the same whether their statistics are frozen or those of a batch.

    Parameters
    ----------
    network : keras.Model
        Changed.
    bundle : path
    inputs : mapping of ndarray
        Patterns as the network takes them.
    task : str
    recipe : str
        Recipe of the training.

    Raises
    ------
    ParameterError
        The bundle has no such network, or one of another recipe or other shapes.
    """
    folded = _convolutions_of(bundle, task, recipe)
    found = list(layers_of(network))
    convolutions = [layer for layer in found if isinstance(layer, layers.Conv2D)]
    norms = [layer for layer in found if isinstance(layer, layers.BatchNormalization)]
    if [one.kernel.shape for one in folded] != [tuple(layer.kernel.shape) for layer in convolutions]:
        accepted = f"a bundle whose {len(convolutions)} convolutions have the shapes of the new ones"
        raise bad_value("start_from", str(bundle), accepted)
    for layer, norm, one in zip(convolutions, norms, folded, strict=True):
        layer.set_weights([one.kernel])
        unchanged = np.ones_like(one.bias)
        norm.set_weights([unchanged, one.bias, 0 * unchanged, unchanged - norm.epsilon])
    some = {name: values[:PATTERNS] for name, values in inputs.items()}
    given = keras.Model(network.input, [layer.output for layer in convolutions])
    for norm, one, values in zip(norms, folded, given.predict(some, batch_size=BATCH, verbose=0), strict=True):
        mean, variance = values.mean((0, 1, 2), dtype=float), values.var((0, 1, 2), dtype=float)
        norm.set_weights([np.sqrt(variance + norm.epsilon), one.bias + mean, mean, variance])
    log.info("%s: %d convolutions taken over from %s", task, len(convolutions), bundle)


def _convolutions_of(bundle: str | Path, task: str, recipe: str) -> list[FoldedConvolution]:
    """The convolutions of a bundle's network, in the order of its graph."""
    accepted = f"a bundle with a network of the recipe {RECIPE} for {task}"
    try:
        found = json.loads(_member(Path(bundle), f"{task}.json"))["settings"]["recipe"]
        model = _member(Path(bundle), f"{task}.onnx")
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise bad_value("start_from", str(bundle), accepted) from error
    if not found == recipe == RECIPE:
        got = f"{bundle}, of the recipe {found}, for a training of the recipe {recipe}"
        raise bad_value("start_from", got, f"the recipe {RECIPE} for both")
    try:
        return folded_convolutions(model)
    except Exception as error:  # protobuf's errors share no base class with the rest
        raise bad_value("start_from", str(bundle), accepted) from error


def _member(bundle: Path, name: str) -> bytes:
    if bundle.is_dir():
        return (bundle / name).read_bytes()
    with zipfile.ZipFile(bundle) as archive:
        return archive.read(name)


def folded_convolutions(model: bytes) -> list[FoldedConvolution]:
    """The convolutions of an ONNX network, whose weights may be stored in half precision.

    Parameters
    ----------
    model : bytes
    """
    import onnx

    graph = onnx.load_from_string(model).graph
    arrays = {item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer}
    casts = [node for node in graph.node if node.op_type == "Cast" and node.input[0] in arrays]
    arrays |= {node.output[0]: arrays[node.input[0]] for node in casts}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    return [
        FoldedConvolution(
            np.transpose(arrays[node.input[1]], (2, 3, 1, 0)).astype(np.float32),
            arrays[node.input[2]].astype(np.float32),
        )
        for node in convolutions
    ]
